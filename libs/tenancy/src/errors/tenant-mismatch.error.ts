import { TenancyError } from './tenancy.error.js';

/** The credentials speak for one tenant and the request names another. Refused before any storage is opened. */
export class TenantMismatchError extends TenancyError {
  readonly code = 'tenant_mismatch';

  /** @param identifier what the request named; it may not exist, and the answer must not tell */
  constructor(readonly identifier: string) {
    super('The request names a tenant that these credentials do not speak for. Sign in to that tenant, or name none.');
  }
}
