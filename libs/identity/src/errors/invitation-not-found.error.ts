import { IdentityError } from './identity.error.js';

/** A token of no open invitation: made up, used, replaced or run out. One answer, so that nothing is learned by trying. */
export class InvitationNotFoundError extends IdentityError {
  readonly code = 'invitation_not_found';

  constructor() {
    super('There is no such invitation, or it was used or has run out. Ask for a new one.');
  }
}
