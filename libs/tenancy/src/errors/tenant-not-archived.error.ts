import { TenancyError } from './tenancy.error.js';

/** Only what was archived before can be purged, so that nothing is lost by one mistaken call. */
export class TenantNotArchivedError extends TenancyError {
  readonly code = 'tenant_not_archived';

  constructor(readonly slug: string) {
    super(`Tenant "${slug}" is not archived. Archive it first; purging cannot be undone.`);
  }
}
