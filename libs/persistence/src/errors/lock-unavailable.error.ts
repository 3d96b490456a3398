import { PersistenceError } from './persistence.error.js';

/** Somebody else holds a lock on a row, and we were not to wait for it, or not that long. Nothing of the transaction is kept. */
export class LockUnavailableError extends PersistenceError {
  readonly code = 'lock_unavailable';

  constructor(options?: ErrorOptions) {
    super('Somebody else is changing this right now. Try again.', options);
  }
}
