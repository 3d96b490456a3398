import { AuditError } from './audit.error.js';

/** A page of the trail was asked for with a cursor that `AuditTrail.list` did not make. */
export class InvalidCursorError extends AuditError {
  readonly code = 'invalid_cursor';

  constructor(options?: ErrorOptions) {
    super('This cursor was not made by the audit trail. Start again without one.', options);
  }
}
