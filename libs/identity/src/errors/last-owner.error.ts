import { IdentityError } from './identity.error.js';

/** The change would leave a tenant without an owner, and nobody could make one again. */
export class LastOwnerError extends IdentityError {
  readonly code = 'last_owner';

  constructor() {
    super('This is the only owner. Make somebody else an owner first.');
  }
}
