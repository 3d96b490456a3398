import { TenancyError } from './tenancy.error.js';

/** The tenant store holds no tenant of this identifier. */
export class TenantNotFoundError extends TenancyError {
  readonly code = 'tenant_not_found';

  constructor(readonly identifier: string) {
    super(`No tenant has the identifier "${identifier}".`);
  }
}
