import type { DatabaseFault } from '../engines/bulk-dialect.js';
import type { TransactionDialect, TransactionFailure } from '../engines/transaction-dialect.js';
import { LockUnavailableError } from '../errors/lock-unavailable.error.js';
import { ReadOnlyTransactionError } from '../errors/read-only-transaction.error.js';

/** What an error says of its transaction; MikroORM's exceptions carry the driver's fields, others the exception as their cause. */
export function failureOf(error: unknown, dialect: TransactionDialect): TransactionFailure | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    const failure = dialect.failureOf(current as DatabaseFault & Error);
    if (failure) return failure;
  }
  return undefined;
}

/** The error as those see it who began the transaction: one of ours when the database spoke of locks or modes, else itself. */
export function toTransactionError(error: unknown, dialect: TransactionDialect): unknown {
  const options = { cause: error };
  switch (failureOf(error, dialect)) {
    case 'locked':
      return new LockUnavailableError(options);
    case 'read_only':
      return new ReadOnlyTransactionError(options);
    default:
      return error;
  }
}
