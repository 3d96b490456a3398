import { PersistenceError } from './persistence.error.js';

/** Work in a transaction with `readOnly: true` has tried to write. */
export class ReadOnlyTransactionError extends PersistenceError {
  readonly code = 'read_only_transaction';

  constructor(options?: ErrorOptions) {
    super('This transaction reads only. Begin it without readOnly to write.', options);
  }
}
