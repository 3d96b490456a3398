import { PersistenceError } from './persistence.error.js';

/**
 * Other transactions were in the way at every attempt (deadlock, serialization failure, busy database): nothing of the work
 * is kept. `cause` is what the database said last.
 */
export class TransactionConflictError extends PersistenceError {
  readonly code = 'transaction_conflict';

  constructor(
    readonly attempts: number,
    options?: ErrorOptions,
  ) {
    super(`Others were changing the same at the same time, ${attempts} times in a row. Try again.`, options);
  }
}
