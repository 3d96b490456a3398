import { PersistenceError } from './persistence.error.js';

/** Rows were about to change outside a transaction that change subscribers can see, so nobody could record it. */
export class TransactionRequiredError extends PersistenceError {
  readonly code = 'transaction_required';

  /** @param what the call that needs a transaction */
  constructor(readonly what: string) {
    super(
      `${what} needs a transaction. Wrap it in entityManager.transactional(fn), or begin one with entityManager.begin().`,
    );
  }
}
