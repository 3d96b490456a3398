import { AuditError } from './audit.error.js';

/** Something tried to change or delete an audit entry. Thrown before any SQL is sent. */
export class AuditTrailReadonlyError extends AuditError {
  readonly code = 'audit_trail_readonly';

  constructor(readonly entryId: string) {
    super(`Audit entry ${entryId} cannot be changed or deleted. Record what is to be said in an entry of its own.`);
  }
}
