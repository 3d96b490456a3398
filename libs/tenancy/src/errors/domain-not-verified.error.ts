import { TenancyError } from './tenancy.error.js';

/** The DNS does not say what it must for a domain to be a tenant's. */
export class DomainNotVerifiedError extends TenancyError {
  readonly code = 'domain_not_verified';

  constructor(
    readonly recordName: string,
    readonly challenge: string,
  ) {
    super(`No TXT record of ${recordName} holds "${challenge}". Add it, wait until it is published, and try again.`);
  }
}
