import type { EntityMetadata } from '@mikro-orm/core';
import type { Change } from './change.js';
import type { TransactionScope } from './transaction-scope.js';

/**
 * Reacts to what transactions change, on every engine in the same way. Given to `ChangeEventsSubscriber`, one set per ORM.
 *
 * @see SQLAlchemy's session events; ours carry finished values (keys, versions, results of SQL expressions) and one
 *   shape for unit of work and bulk writes
 */
export interface ChangeSubscriber {
  /**
   * Whether changes of this class matter here; absent means all do. Asked once per class. What nobody wants is not
   * collected, and its old values are not read.
   */
  wants?(meta: EntityMetadata): boolean;

  /**
   * Called in the transaction before it commits, with what it changed: usually once, with everything. A transaction that
   * changes more than `maxWaitingChanges` rows hands them over in parts, as they come, so that memory does not grow; a
   * part that is inside a savepoint then comes with that savepoint's scope, and what is written in reply rolls back with it.
   * Not called when nothing changed.
   *
   * May write through `scope.transaction`; an error rolls the transaction back. The list and its changes are frozen.
   */
  beforeCommit?(changes: readonly Change[], scope: TransactionScope): void | Promise<void>;

  /**
   * Called after the outermost commit, never for a savepoint. The transaction is over: for further work use an
   * EntityManager of your own. Awaited, but an error goes to `onError` and reaches neither the committer nor others.
   */
  afterCommit?(scope: TransactionScope): void | Promise<void>;

  /** Called after a rollback: of a savepoint when `scope.parent` is set, else of the whole transaction. Errors as in `afterCommit`. */
  afterRollback?(scope: TransactionScope): void | Promise<void>;
}
