import { PersistenceError } from './persistence.error.js';

/** A transaction inside another asked for what is decided where the outer one begins. */
export class TransactionNestingError extends PersistenceError {
  readonly code = 'transaction_nesting';

  /** @param option what was asked for, such as `isolation "serializable"` */
  constructor(readonly option: string) {
    super(
      `A transaction is open here, and ${option} is decided where it begins. ` +
        "Ask for it there, or use propagation 'requires_new'.",
    );
  }
}
