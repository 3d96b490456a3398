import { IdentityError } from './identity.error.js';

/**
 * A request that carries a bearer token and an API key. Which one counts would be a guess, and a proxy in front may have
 * checked the other.
 */
export class AmbiguousCredentialsError extends IdentityError {
  readonly code = 'ambiguous_credentials';

  constructor() {
    super('Send either "Authorization" or "X-Api-Key", not both.');
  }
}
