import { IdentityError } from './identity.error.js';

/** E-mail and password, or tenant, do not go together. One answer for every reason, so that accounts cannot be guessed. */
export class InvalidCredentialsError extends IdentityError {
  readonly code = 'unauthenticated';

  constructor() {
    super('E-mail, password and tenant do not go together.');
  }
}
