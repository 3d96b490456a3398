import { IdentityError } from './identity.error.js';

/** The tenant has no such member; whether another tenant has makes no difference. */
export class MemberNotFoundError extends IdentityError {
  readonly code = 'member_not_found';

  constructor() {
    super('There is no such member.');
  }
}
