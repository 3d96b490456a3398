import { AsyncLocalStorage } from 'node:async_hooks';
import type { SqlEntityManager } from '@mikro-orm/sql';
import type { TransactionOptions } from './transaction.options.js';

/** A transaction begun by `transactional`, as seen by the code inside it. */
export interface TransactionFrame {
  /** The EntityManager of the transaction, or of the innermost savepoint. */
  readonly entityManager: SqlEntityManager;
  readonly options: Pick<TransactionOptions, 'isolation' | 'readOnly'>;
}

interface Entered extends TransactionFrame {
  /** Work that a transaction has started and not waited for outlives it. */
  isOver: boolean;
  /** A transaction of another database, or one of this that is suspended. */
  readonly around: Entered | undefined;
}

const frames = new AsyncLocalStorage<Entered>();

/** Runs the work of a transaction so that `findFrame` finds it there. */
export async function runInFrame<T>(frame: TransactionFrame, work: () => T | Promise<T>): Promise<T> {
  const entered: Entered = { ...frame, isOver: false, around: frames.getStore() };
  try {
    return await frames.run(entered, work);
  } finally {
    entered.isOver = true;
  }
}

/** The innermost transaction on the database of `entityManager` that the current call runs in. */
export function findFrame(entityManager: SqlEntityManager): TransactionFrame | undefined {
  for (let frame = frames.getStore(); frame; frame = frame.around) {
    if (!frame.isOver && frame.entityManager.getDriver() === entityManager.getDriver()) return frame;
  }
  return undefined;
}
