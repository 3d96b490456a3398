import { TenancyError } from './tenancy.error.js';

/** The tenant's rows are being moved: they can be read, and are not changed until that is done. Nobody else is affected. */
export class TenantMovingError extends TenancyError {
  readonly code = 'tenant_moving';
  /** When it is worth trying again, in whole seconds from now. */
  readonly retryAfterSeconds = 5;

  constructor(options?: ErrorOptions) {
    super('The rows of the tenant are being moved, or were moved by now; nothing was written. Try again.', options);
  }
}
