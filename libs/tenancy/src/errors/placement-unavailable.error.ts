import { TenancyError } from './tenancy.error.js';

/** The tenant's schema or database is missing, or behind the code. Nobody else is affected. */
export class PlacementUnavailableError extends TenancyError {
  readonly code = 'placement_unavailable';
  /** When it is worth trying again, in whole seconds from now: an operator has to act first. */
  readonly retryAfterSeconds = 30;

  constructor(
    readonly tenantId: string,
    options?: ErrorOptions,
  ) {
    super(
      `The place of tenant ${tenantId} cannot be used: its tables are missing or not up to date. Other tenants are not affected. Run "npm run rowhouse -- tenant migrate", or restore it.`,
      options,
    );
  }
}
