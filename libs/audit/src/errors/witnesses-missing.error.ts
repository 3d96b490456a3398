import { AuditError } from './audit.error.js';

/** Nobody watches the tables for writes from outside, so that nothing can be said of them. */
export class WitnessesMissingError extends AuditError {
  readonly code = 'witnesses_missing';

  constructor() {
    super(
      'This database has no witnesses, so writes from outside leave no trace here. On PostgreSQL install them with ' +
        '"npm run rowhouse -- audit witness"; other engines have none.',
    );
  }
}
