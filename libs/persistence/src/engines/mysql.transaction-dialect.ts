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

const DISK_FULL = 1021;
const TABLE_FULL = 1114;
/** Errors of files and of storage engines, which tell in words what the operating system said: `errno 28`. */
const OF_FILES: ReadonlySet<number> = new Set([3, 1005, 1026, 1030]);
const NO_SPACE = /\b(errno:|Errcode:|error) 28\b/;

export const mariadbTransactionDialect: TransactionDialect = {
  isConcurrent: true,
  locks: 'rows',
  canLock: () => true,
  failureOf: ({ errno }) => FAILURES[Number(errno)],
  isStorageFull: ({ errno, message }) =>
    errno === DISK_FULL || errno === TABLE_FULL || (OF_FILES.has(Number(errno)) && NO_SPACE.test(message)),
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
