import { PersistenceError } from './persistence.error.js';

/**
 * The disk, or a quota, of a database has no room left for what was sent. Nothing of the transaction is kept; reading goes
 * on. Thrown by every statement and by the commit, on every engine.
 */
export class StorageFullError extends PersistenceError {
  readonly code = 'storage_full';
  /** When to try again. Somebody has to make room first, so not at once. */
  readonly retryAfterSeconds = 60;

  constructor(options?: ErrorOptions) {
    super(
      'The database has no room left: give its disk, tablespace or quota more. Nothing of the transaction is kept.',
      options,
    );
  }
}
