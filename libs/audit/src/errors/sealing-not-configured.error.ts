import { AuditError } from './audit.error.js';

/** Sealing, or something that relies on it, was asked for, and the module has no keys. */
export class SealingNotConfiguredError extends AuditError {
  readonly code = 'sealing_not_configured';

  constructor() {
    super('The trail is not sealed here: give AuditModule the option "keys".');
  }
}
