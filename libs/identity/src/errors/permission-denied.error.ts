import type { Permission } from '../permissions.js';
import { IdentityError } from './identity.error.js';

const SPECIAL = {
  operator: 'Only a platform operator may do this.',
  person: 'Only a person who is signed in may do this; an API key may not.',
  owner: 'Only an owner may make, change or remove an owner.',
} as const;

/** The actor is known and belongs to the tenant, but its role, or its key, does not allow this. */
export class PermissionDeniedError extends IdentityError {
  readonly code = 'forbidden';

  constructor(readonly permission: Permission | keyof typeof SPECIAL) {
    super(
      permission in SPECIAL
        ? SPECIAL[permission as keyof typeof SPECIAL]
        : `Your role or API key does not include "${permission}". Ask an owner or admin of the tenant.`,
    );
  }
}
