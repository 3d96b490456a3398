import type { Transaction } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import type { ControlledTransaction, DatabaseConnection, Kysely } from 'kysely';
import { engineOf } from '../engines/engines.js';
import { hearEnd, poolOf, tellEnd } from '../engines/transaction-ends.js';
import { ConnectionMismatchError } from '../errors/connection-mismatch.error.js';
import { findEvents } from '../events/announce-changes.js';
import type { ChangeEventsSubscriber } from '../events/change-events.subscriber.js';
import type { TransactionScope } from '../events/transaction-scope.js';
import { toTransactionError } from './transaction-failure.js';
import { runInSavepoint, type TransactionWork } from './transactional.js';

// biome-ignore lint/suspicious/noExplicitAny: which tables the caller's Kysely knows does not matter here
type AnyKysely = Kysely<any>;
// biome-ignore lint/suspicious/noExplicitAny: as above
type AnyTransaction = ControlledTransaction<any>;

/**
 * Runs `work` in a unit of work of its own on a transaction, or on a connection, that the caller has already.
 *
 * - A transaction begun by Kysely: `work` is a savepoint of it. When it fails, only its own part is undone, and the caller
 *   decides about the rest. Change subscribers write their part at once; `afterCommit` and `onCommit` run when the caller's
 *   transaction has committed and its connection is free, and never when it was rolled back, to a savepoint or as a whole.
 * - A reserved connection: `work` is a transaction on it.
 *
 * It is not repeated when others are in its way: what came before it is not ours to repeat. Guard, audit and bulk writes
 * hold as anywhere.
 *
 * @param entityManager  of the same database; its own unit of work is left alone
 * @param on  what `em.getKysely().startTransaction().execute()` gives, or `em.getKysely().connection().execute(…)`
 * @throws {ConnectionMismatchError} before any SQL
 * @see SQLAlchemy `Session(bind=connection)` with `join_transaction_mode="create_savepoint"`
 *
 * @example
 * const transaction = await em.getKysely<Tables>().startTransaction().execute();
 * await bindUnitOfWork(em, transaction, async (tx) => tx.create(Tag, { name: 'new' }));
 * await transaction.commit().execute();
 */
export async function bindUnitOfWork<T>(
  entityManager: SqlEntityManager,
  on: AnyTransaction | AnyKysely,
  work: TransactionWork<T>,
): Promise<T> {
  const connection = await on.getExecutor().provideConnection(async (it) => it);
  if (poolOf(connection) !== entityManager.getDriver().getConnection('write')) throw new ConnectionMismatchError();
  if (isTransaction(on)) return runPart(entityManager, on, connection, work);
  return runOnConnection(entityManager, on, connection, work);
}

function isTransaction(on: AnyTransaction | AnyKysely): on is AnyTransaction {
  return on.isTransaction;
}

async function runOnConnection<T>(
  entityManager: SqlEntityManager,
  on: AnyKysely,
  connection: DatabaseConnection,
  work: TransactionWork<T>,
): Promise<T> {
  const transaction = await on.startTransaction().execute();
  try {
    const result = await runPart(entityManager, transaction, connection, work);
    await transaction.commit().execute();
    return result;
  } catch (error) {
    if (!transaction.isCommitted) await transaction.rollback().execute();
    throw error;
  } finally {
    // The caller keeps the connection, so nobody else tells of this end.
    await tellEnd(connection);
  }
}

async function runPart<T>(
  entityManager: SqlEntityManager,
  transaction: AnyTransaction,
  connection: DatabaseConnection,
  work: TransactionWork<T>,
): Promise<T> {
  const bound = entityManager.fork({ disableContextResolution: true }) as SqlEntityManager;
  bound.setTransactionContext(transaction as unknown as Transaction);
  const events = findEvents(entityManager);
  const scope = events?.join(bound, transaction as unknown as Transaction);
  if (events && scope) hearOf(events, scope, connection);
  try {
    return await runInSavepoint(bound, async (part) => {
      const result = await work(part);
      await part.flush();
      await events?.completePart(part);
      return result;
    });
  } catch (error) {
    throw toTransactionError(error, engineOf(entityManager).transactions);
  }
}

/** Lets what waits for the commit go with the savepoints that the owner of the transaction rolls back. */
function hearOf(events: ChangeEventsSubscriber, scope: TransactionScope, connection: DatabaseConnection): void {
  const marks = new Map<string, number>();
  hearEnd(connection, {
    onSavepoint: (name) => void marks.set(name, scope.savepoints),
    // One that was set before any part had joined takes all of them along.
    onRollbackTo: (name) => scope.rollBackSavepoints(marks.get(name) ?? 0),
    onEnd: (isCommitted) => events.leave(scope, isCommitted),
  });
}
