import { AuditError } from './audit.error.js';

/** The tenant's trail has no entry of this id. An entry of another tenant is answered like one that never existed. */
export class AuditEntryNotFoundError extends AuditError {
  readonly code = 'audit_entry_not_found';

  constructor(readonly entryId: string) {
    super(`There is no audit entry "${entryId}".`);
  }
}
