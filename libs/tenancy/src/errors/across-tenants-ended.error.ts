import { TenancyError } from './tenancy.error.js';

/** Work across tenants went on after its function had ended, or for longer than it may. No statement was sent. */
export class AcrossTenantsEndedError extends TenancyError {
  readonly code = 'across_tenants_ended';

  constructor() {
    super('The work across tenants has ended: its function has returned, or its time is up. Start it anew, in parts.');
  }
}
