import type { TransactionDialect, TransactionFailure } from './transaction-dialect.js';

const DEADLOCK = 1213;
/** MariaDB with `innodb_snapshot_isolation`: somebody has changed the row since this transaction's snapshot. */
const CHANGED_SINCE_READ = 1020;

const FAILURES: Readonly<Record<number, TransactionFailure>> = {
  [DEADLOCK]: 'conflict',
  [CHANGED_SINCE_READ]: 'conflict',
  // MariaDB answers NOWAIT like a lock that was waited for in vain; MySQL has a number for it.
  1205: 'locked',
  3572: 'locked',
  1792: 'read_only',
};

export const mariadbTransactionDialect: TransactionDialect = {
  isConcurrent: true,
  locks: 'rows',
  canLock: () => true,
  failureOf: ({ errno }) => FAILURES[Number(errno)],
  // The server has rolled everything back and told nobody: what follows would be committed alone, statement by statement.
  isLostBy: ({ errno }) => errno === DEADLOCK || errno === CHANGED_SINCE_READ,
  isSavedBySavepoint: false,
  escapesBackslash: true,
};

export const mysqlTransactionDialect: TransactionDialect = {
  ...mariadbTransactionDialect,
  // MikroORM writes `lock in share mode`, which MySQL 8 does not take together with `nowait` or `skip locked`.
  canLock: (kind, wait) => kind === 'exclusive' || wait === 'wait',
};
