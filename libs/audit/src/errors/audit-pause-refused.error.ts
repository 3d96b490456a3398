import { AuditError } from './audit.error.js';

/** Recording was to be paused inside a transaction, which may hold changes from before the pause. */
export class AuditPauseRefusedError extends AuditError {
  readonly code = 'audit_pause_refused';

  constructor() {
    super('Recording cannot be paused inside a transaction. Pause it first, and begin the transaction in the pause.');
  }
}
