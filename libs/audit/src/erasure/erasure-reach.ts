/**
 * The port through which the lib learns whether there is more of a tenant's trail than the context's database holds. An app
 * whose tenants' rows can be at two places binds it; without one there is no more.
 */
export abstract class ErasureReach {
  /**
   * Called in the tenant's context, before keys are destroyed.
   * @returns what an erasure would not reach, as the end of a sentence for people, or `undefined`
   */
  abstract findBeyond(tenantId: string): Promise<string | undefined>;
}
