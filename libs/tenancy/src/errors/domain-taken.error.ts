import { TenancyError } from './tenancy.error.js';

/** Another tenant has shown that this domain is theirs. */
export class DomainTakenError extends TenancyError {
  readonly code = 'domain_taken';

  constructor(
    readonly domain: string,
    options?: ErrorOptions,
  ) {
    super(`The domain "${domain}" is taken. Whoever has it must give it up first.`, options);
  }
}
