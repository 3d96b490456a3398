import { TenancyError } from './tenancy.error.js';

/** A request names several tenants, or one in a way that can be read as several. Refused before anything is looked up. */
export class AmbiguousTenantError extends TenancyError {
  readonly code = 'tenant_ambiguous';

  /** @param source  where it stands: `header`, `host`, or both by name */
  constructor(readonly source: string) {
    super(`The request does not name one tenant (${source}). Name it once, or leave it out.`);
  }
}
