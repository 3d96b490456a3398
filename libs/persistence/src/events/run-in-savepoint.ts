import type { Transaction } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import type { ControlledTransaction } from 'kysely';

interface InTransaction {
  readonly entityManager: SqlEntityManager;
  readonly transaction: Transaction;
}

const SAVEPOINT = 'subscriber_write';

/**
 * Runs statements of a change subscriber in a savepoint, so that the transaction can go on without them: when `fn` fails
 * they are taken back, and its error is thrown. On PostgreSQL any error would else end the whole transaction.
 */
export async function runInSavepoint<T>(scope: InTransaction, fn: (inner: InTransaction) => Promise<T>): Promise<T> {
  const { entityManager } = scope;
  const inner = await (scope.transaction as ControlledTransaction<unknown>).savepoint(SAVEPOINT).execute();
  try {
    const result = await fn({ entityManager, transaction: inner as unknown as Transaction });
    await inner.releaseSavepoint(SAVEPOINT).execute();
    return result;
  } catch (error) {
    await inner.rollbackToSavepoint(SAVEPOINT).execute();
    throw error;
  }
}
