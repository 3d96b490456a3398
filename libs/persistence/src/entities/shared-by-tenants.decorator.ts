const REASON = Symbol('shared by tenants');

interface MaybeShared {
  [REASON]?: string;
}

/**
 * Declares that the rows of an entity in tenant databases belong to no tenant: every tenant of the database reads the
 * same ones. Without it an entity that does not extend `TenantOwned` is refused at start-up. Tenants may not write them.
 *
 * @param reason why no row can be private to a tenant; it stands in the code for the reviewer
 * @example
 * @SharedByTenants('ISO 4217 is the same for everybody')
 * @Entity()
 * export class Currency {}
 */
export function SharedByTenants(reason: string): ClassDecorator {
  return (target) => {
    Object.defineProperty(target, REASON, { value: reason });
  };
}

/** Whether an entity class, or one it extends, is declared with `@SharedByTenants`. */
export function isSharedByTenants(entity: object): boolean {
  return (entity as MaybeShared)[REASON] !== undefined;
}
