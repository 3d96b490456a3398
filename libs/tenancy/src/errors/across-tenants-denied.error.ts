import { TenancyError } from './tenancy.error.js';

/** Somebody who may not asked for work across tenants. Nothing was run. */
export class AcrossTenantsDeniedError extends TenancyError {
  readonly code = 'across_tenants_denied';

  constructor(readonly actorType: string) {
    super(`Work across tenants is not for an actor of type "${actorType}". Operators and the system may do it.`);
  }
}
