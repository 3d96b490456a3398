import type { Permission } from '../permissions.js';
import { IdentityError } from './identity.error.js';

/** The actor is known and a member, but the role does not allow this. */
export class PermissionDeniedError extends IdentityError {
  readonly code = 'forbidden';

  constructor(readonly permission: Permission | 'operator') {
    super(
      permission === 'operator'
        ? 'Only a platform operator may do this.'
        : `Your role does not include "${permission}". Ask an owner or admin of the tenant.`,
    );
  }
}
