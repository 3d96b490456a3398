import { IdentityError } from './identity.error.js';

/** The person is a member of the tenant already. */
export class MemberExistsError extends IdentityError {
  readonly code = 'member_exists';

  constructor() {
    super('This person is a member already. Change the role with PATCH /v1/members/:id.');
  }
}
