import type { ContextTenant } from '#libs/context';

/** The port through which the lib learns whose trails there are. An app binds it to its tenants. */
export abstract class TenantRoster {
  /** Every tenant that has a trail, suspended ones too, as a context wants them. */
  abstract all(): AsyncIterable<ContextTenant>;
}

/** Nobody: where only what commits in this process is sealed. */
export class EmptyTenantRoster extends TenantRoster {
  async *all(): AsyncIterable<ContextTenant> {}
}
