import { TenancyError } from './tenancy.error.js';

/** `acrossTenants` cannot tell which application it works for. Nothing was run. */
export class AcrossTenantsUnboundError extends TenancyError {
  readonly code = 'across_tenants_unbound';

  constructor(readonly applications: number) {
    super(
      `acrossTenants(reason, fn) needs exactly one application with a TenancyModule in this process, and there are ${applications}. ` +
        'Inject AcrossTenants instead.',
    );
  }
}
