import type { Permission } from '../permissions.js';
import { IdentityError } from './identity.error.js';

const SPECIAL = {
  operator: 'Only a platform operator may do this.',
  owner: 'Only an owner may make, change or remove an owner.',
} as const;

/** The actor is known and a member, but the role does not allow this. */
export class PermissionDeniedError extends IdentityError {
  readonly code = 'forbidden';

  constructor(readonly permission: Permission | keyof typeof SPECIAL) {
    super(
      permission in SPECIAL
        ? SPECIAL[permission as keyof typeof SPECIAL]
        : `Your role does not include "${permission}". Ask an owner or admin of the tenant.`,
    );
  }
}
