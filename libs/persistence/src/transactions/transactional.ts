import { IsolationLevel as MikroIsolationLevel, TransactionPropagation } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { engineOf } from '../engines/engines.js';
import { ConnectionHeldError } from '../errors/connection-held.error.js';
import { TransactionConflictError } from '../errors/transaction-conflict.error.js';
import { TransactionNestingError } from '../errors/transaction-nesting.error.js';
import { TransactionRequiredError } from '../errors/transaction-required.error.js';
import { findInTransaction } from '../events/find-in-transaction.js';
import { pauseAfter } from './retry.js';
import type { IsolationLevel, TransactionOptions } from './transaction.options.js';
import { failureOf, toTransactionError } from './transaction-failure.js';
import { findFrame, runInFrame } from './transaction-frame.js';
import { adopt, assertNothingUnsaved } from './unit-of-work-handover.js';

/** Work of a transaction. It gets the transaction's own EntityManager, and may be called again with another one. */
export type TransactionWork<T> = (entityManager: SqlEntityManager) => T | Promise<T>;

const DEFAULT_ATTEMPTS = 5;

const ISOLATION: Readonly<Record<IsolationLevel, MikroIsolationLevel>> = {
  'read uncommitted': MikroIsolationLevel.READ_UNCOMMITTED,
  'read committed': MikroIsolationLevel.READ_COMMITTED,
  'repeatable read': MikroIsolationLevel.REPEATABLE_READ,
  serializable: MikroIsolationLevel.SERIALIZABLE,
};

/**
 * Runs `work` in a transaction: all of it is kept, or nothing. What is left unsaved when it ends is flushed.
 *
 * The outermost transaction works in a unit of work of its own, empty at first, so that a row is read inside the transaction
 * that relies on it. When other transactions are in its way, it is rolled back and `work` is called again with a fresh one,
 * after a pause. So `work` must not do anything outside the database: leave that to `onCommit`. Entities it has loaded belong
 * to the unit of work of `entityManager` after the commit. Transactions inside it are savepoints.
 *
 * @param entityManager  any of the database; the transaction that the current call runs in is found
 * @throws {TransactionConflictError} others were in the way at every attempt
 * @throws {LockUnavailableError} somebody else held a row for too long
 * @throws {ReadOnlyTransactionError} it wrote, with `readOnly`
 * @throws {TransactionNestingError} inside another transaction, with options that are decided where that one begins
 * @throws {TransactionRequiredError} outside of one, with `mandatory`
 * @throws {ConnectionHeldError} `requires_new` where there is one connection
 * @throws {UnsavedChangesError} the unit of work of `entityManager` holds changes that were not flushed
 * @see SQLAlchemy `session.begin()` and `begin_nested()`; neither of them repeats anything
 */
export async function transactional<T>(
  entityManager: SqlEntityManager,
  work: TransactionWork<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const open = findInTransaction(entityManager);
  const { propagation = 'nested' } = options;
  if (!open) {
    if (propagation === 'mandatory') throw new TransactionRequiredError("A transaction with propagation 'mandatory'");
    return runRepeatedly(entityManager, work, options);
  }
  if (propagation === 'requires_new') {
    if (isOnlyConnection(open)) throw new ConnectionHeldError("A transaction with propagation 'requires_new'");
    return runRepeatedly(open.fork() as SqlEntityManager, work, options);
  }
  assertNothingNew(open, options);
  return propagation === 'nested' ? runInSavepoint(open, work) : work(open);
}

async function runRepeatedly<T>(
  entityManager: SqlEntityManager,
  work: TransactionWork<T>,
  options: TransactionOptions,
): Promise<T> {
  const { maxAttempts = DEFAULT_ATTEMPTS } = options;
  const dialect = engineOf(entityManager).transactions;
  assertNothingUnsaved(entityManager);
  for (let attempt = 1; ; attempt++) {
    // Not the caller's: MikroORM hands entities over before the commit, and what fails must leave nothing there.
    const unitOfWork = entityManager.fork({ disableContextResolution: true }) as SqlEntityManager;
    try {
      const result = await runOnce(unitOfWork, work, options);
      adopt(unitOfWork, entityManager);
      return result;
    } catch (error) {
      if (failureOf(error, dialect) !== 'conflict') throw toTransactionError(error, dialect);
      if (attempt >= maxAttempts) throw new TransactionConflictError(attempt, { cause: error });
      await pauseAfter(attempt, error);
    }
  }
}

function runOnce<T>(unitOfWork: SqlEntityManager, work: TransactionWork<T>, options: TransactionOptions): Promise<T> {
  const { isolation, readOnly = false } = options;
  const inFrame = (entityManager: SqlEntityManager) =>
    runInFrame({ entityManager, options: { isolation, readOnly } }, () => work(entityManager));
  return unitOfWork.transactional((em) => inFrame(em as SqlEntityManager), {
    readOnly,
    ...(isolation && { isolationLevel: ISOLATION[isolation] }),
  });
}

/** A savepoint of the transaction of `open`. */
export function runInSavepoint<T>(open: SqlEntityManager, work: TransactionWork<T>): Promise<T> {
  const options = findFrame(open)?.options ?? {};
  return open.transactional(
    (em) => runInFrame({ entityManager: em as SqlEntityManager, options }, () => work(em as SqlEntityManager)),
    { propagation: TransactionPropagation.NESTED },
  );
}

/** The options of a transaction are those of its outermost part. */
function assertNothingNew(open: SqlEntityManager, { isolation, readOnly }: TransactionOptions): void {
  const outer = findFrame(open)?.options ?? {};
  if (isolation && isolation !== outer.isolation) throw new TransactionNestingError(`isolation "${isolation}"`);
  if (readOnly && !outer.readOnly) throw new TransactionNestingError('readOnly');
}

function isOnlyConnection(entityManager: SqlEntityManager): boolean {
  return !engineOf(entityManager).transactions.isConcurrent || entityManager.config.get('pool')?.max === 1;
}
