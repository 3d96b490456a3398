import { TenancyError } from './tenancy.error.js';

/** The tenant is suspended or archived: everything it holds is kept, nothing is served. */
export class TenantSuspendedError extends TenancyError {
  readonly code = 'tenant_suspended';

  constructor(readonly tenantId: string) {
    super('This tenant is suspended. Its data is kept; ask the operator of this service to activate it again.');
  }
}
