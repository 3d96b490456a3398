import { TenancyError } from './tenancy.error.js';

/** As many databases of single tenants are open as this process may hold, and all of them are in use. */
export class TenantPoolsExhaustedError extends TenancyError {
  readonly code = 'tenant_pools_exhausted';
  /** When it is worth trying again, in whole seconds from now. */
  readonly retryAfterSeconds = 1;

  constructor(
    readonly maxOpen: number,
    readonly waitedMs: number,
  ) {
    super(
      `All ${maxOpen} databases of single tenants that may be open at once were in use for ${waitedMs} ms. Try again, or raise CONNECTION_BUDGET.`,
    );
  }
}
