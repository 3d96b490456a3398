import { AuditError } from './audit.error.js';

/** The tenant has no legal hold of this id that is in force. */
export class HoldNotFoundError extends AuditError {
  readonly code = 'hold_not_found';

  constructor(readonly holdId: string) {
    super(`There is no legal hold "${holdId}" in force.`);
  }
}
