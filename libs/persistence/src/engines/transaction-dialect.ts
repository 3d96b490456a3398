import type { DatabaseFault } from './bulk-dialect.js';

/**
 * What went wrong with a transaction, as opposed to its statements.
 * - `conflict`: another transaction was in the way (deadlock, serialization failure, busy file); done again, it may succeed
 * - `locked`: somebody else holds a row for longer than we were to wait
 * - `read_only`: a transaction that was to read only has tried to write
 */
export type TransactionFailure = 'conflict' | 'locked' | 'read_only';

/** What somebody who asks for a locked row does about a lock of somebody else. */
export type LockWait = 'wait' | 'fail' | 'skip';

/** How far others are kept from a row: `shared` lets them read it for share, `exclusive` does not. */
export type LockKind = 'shared' | 'exclusive';

/** How one database product runs transactions. */
export interface TransactionDialect {
  /** Whether two transactions of this process can be open in one database at the same time. */
  readonly isConcurrent: boolean;
  /** The locks on rows it can give. `database`: it has none, since a transaction that writes has the database to itself. */
  canLock(kind: LockKind, wait: LockWait): boolean;
  readonly locks: 'rows' | 'database';
  failureOf(error: DatabaseFault): TransactionFailure | undefined;
  /** Whether a statement, or the commit, found no room on the disk. */
  isStorageFull(error: DatabaseFault): boolean;
  /**
   * Whether the transaction is lost once a statement of it has failed with `error`: a commit would be answered with
   * success, and keep nothing, or only what came after.
   */
  isLostBy(error: DatabaseFault): boolean;
  /** Whether a lost transaction is whole again after a return to a savepoint. */
  readonly isSavedBySavepoint: boolean;
  /** Whether a backslash escapes the character after it in quoted text. */
  readonly escapesBackslash: boolean;
}
