import type { TransactionDialect, TransactionFailure } from './transaction-dialect.js';

/** By SQLSTATE. */
const FAILURES: Readonly<Record<string, TransactionFailure>> = {
  '40001': 'conflict',
  '40P01': 'conflict',
  '55P03': 'locked',
  '25006': 'read_only',
};

export const postgresqlTransactionDialect: TransactionDialect = {
  isConcurrent: true,
  locks: 'rows',
  canLock: () => true,
  failureOf: ({ code }) => FAILURES[String(code)],
  isStorageFull: ({ code }) => code === '53100',
  // Whatever failed: PostgreSQL answers the commit with ROLLBACK, which is no error, and the driver does not look at it.
  isLostBy: () => true,
  isSavedBySavepoint: true,
  escapesBackslash: false,
};
