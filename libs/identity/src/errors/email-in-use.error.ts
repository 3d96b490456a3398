import { IdentityError } from './identity.error.js';

/** Sign-up with an e-mail that has an account, and not that account's password. */
export class EmailInUseError extends IdentityError {
  readonly code = 'conflict';

  constructor() {
    super('This e-mail has an account already. Sign up with the password of that account to own another tenant.');
  }
}
