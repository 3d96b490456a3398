import { type EntityName, type FilterQuery, FlushMode, LockMode, type QueryOrderMap } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { engineOf } from '../engines/engines.js';
import type { LockKind, LockWait } from '../engines/transaction-dialect.js';
import { LockUnsupportedError } from '../errors/lock-unsupported.error.js';
import { TransactionRequiredError } from '../errors/transaction-required.error.js';
import { findInTransaction } from '../events/find-in-transaction.js';
import { findFrame } from './transaction-frame.js';

/** Which lock, on how many rows, and what to do about those that somebody else has. */
export interface LockOptions<Entity> {
  /** `exclusive` (default): nobody else may change or lock the rows. `shared`: others may share the lock. */
  readonly lock?: LockKind;
  /** What to do about rows that somebody else has locked: `wait` (default), `fail` at once, or `skip` them. */
  readonly whenLocked?: LockWait;
  /** Default: by primary key. All who lock several rows in one order cannot lock each other out. */
  readonly orderBy?: QueryOrderMap<Entity> | QueryOrderMap<Entity>[];
  readonly limit?: number;
}

const MODES: Readonly<Record<LockKind, Readonly<Record<LockWait, LockMode>>>> = {
  shared: {
    wait: LockMode.PESSIMISTIC_READ,
    fail: LockMode.PESSIMISTIC_READ_OR_FAIL,
    skip: LockMode.PESSIMISTIC_PARTIAL_READ,
  },
  exclusive: {
    wait: LockMode.PESSIMISTIC_WRITE,
    fail: LockMode.PESSIMISTIC_WRITE_OR_FAIL,
    skip: LockMode.PESSIMISTIC_PARTIAL_WRITE,
  },
};

/**
 * Flushes, then finds entities and locks their rows until the transaction ends, with their present values, also where they
 * were loaded before. Of class-table hierarchies the rows of the root table are locked, which every writer of ours passes.
 *
 * On SQLite no row is locked: a transaction that may write has the whole database to itself from its first moment, so that
 * whatever it reads is as good as locked. `fail` and `skip` promise not to wait and are refused there, since the
 * transaction has waited already.
 *
 * @throws {TransactionRequiredError} outside a transaction, where a lock would be gone before the call returns
 * @throws {LockUnsupportedError} before any SQL: the engine has no such lock, or the transaction reads only
 * @throws {LockUnavailableError} from `transactional`, with `fail`, or when the server gave up waiting
 */
export async function findLocked<Entity extends object>(
  entityManager: SqlEntityManager,
  entity: EntityName<Entity>,
  where: FilterQuery<Entity>,
  options: LockOptions<Entity> = {},
): Promise<Entity[]> {
  const { lock = 'exclusive', whenLocked = 'wait', limit } = options;
  const transaction = findInTransaction(entityManager);
  if (!transaction) throw new TransactionRequiredError('findLocked');
  assertCanLock(transaction, lock, whenLocked);
  const orderBy = options.orderBy ?? orderOfKey<Entity>(entityManager, entity);
  return (await transaction.find(
    entity,
    where as never,
    {
      // Elsewhere MikroORM adds the clause; here there is none, and it need not know.
      ...(engineOf(entityManager).transactions.locks === 'rows' && { lockMode: MODES[lock][whenLocked] }),
      orderBy,
      limit,
      refresh: true,
      // Else the refresh would forget what was changed and not saved yet.
      flushMode: FlushMode.ALWAYS,
    } as never,
  )) as Entity[];
}

function assertCanLock(transaction: SqlEntityManager, lock: LockKind, wait: LockWait): void {
  const { name, transactions } = engineOf(transaction);
  const what = wait === 'wait' ? `${lock} lock` : `${lock} lock with "${wait}"`;
  if (findFrame(transaction)?.options.readOnly) {
    throw new LockUnsupportedError(name, what, 'the transaction reads only');
  }
  if (transactions.canLock(lock, wait)) return;
  const because =
    transactions.locks === 'database'
      ? 'a transaction has the whole database to itself, and has waited for it when it began'
      : 'its SQL has no words for it that MikroORM knows';
  throw new LockUnsupportedError(name, what, because);
}

function orderOfKey<Entity>(entityManager: SqlEntityManager, entity: EntityName<Entity>): QueryOrderMap<Entity>[] {
  const { primaryKeys } = entityManager.getMetadata().get(entity as EntityName);
  return primaryKeys.map((name) => ({ [name]: 'asc' }) as QueryOrderMap<Entity>);
}
