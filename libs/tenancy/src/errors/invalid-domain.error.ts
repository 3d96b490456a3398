import { TenancyError } from './tenancy.error.js';

/** A domain that no tenant can have, or that this tenant has not added. */
export class InvalidDomainError extends TenancyError {
  readonly code = 'invalid_domain';

  constructor(readonly domain: string) {
    super(`"${domain}" is no domain of this tenant. Add it as letters, digits and hyphens: shop.acme.example.`);
  }
}
