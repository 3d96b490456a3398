import type { Actor } from '#libs/context';

/** One use of `AcrossTenants`, as it is put on record. */
export interface CrossTenantUse {
  readonly reason: string;
  readonly actor: Actor;
  /** How many rows were read, by tenant id. Tenants without a row are not concerned. */
  readonly rows: ReadonlyMap<string, number>;
}

/**
 * The port through which work across tenants is put on record. An app binds it to its audit trail; without a provider
 * `AcrossTenants` cannot be made.
 */
export abstract class CrossTenantLedger {
  /**
   * Puts one use on record in the trail of each tenant concerned, durably when the promise resolves, and where operators look when
   * there is none. Called once per use, before its result is handed out, with no tenant in the context. What it throws is the result.
   */
  abstract record(use: CrossTenantUse): Promise<void>;
}
