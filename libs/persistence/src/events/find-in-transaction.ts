import { type Transaction, TransactionContext } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { findFrame } from '../transactions/transaction-frame.js';

/**
 * The EntityManager in whose transaction the current call runs, given any one of the same database: itself when it is in
 * a transaction, else the fork that `transactional(fn)` gave to the `fn` we are in. `undefined` outside a transaction.
 *
 * Code that holds the outer EntityManager must not use it for statements inside `transactional`: they would leave the
 * transaction, and where there is one connection they are refused. `CurrentEntityManager.get()` gives the right one.
 */
export function findInTransaction(entityManager: SqlEntityManager): SqlEntityManager | undefined {
  if (isOpen(entityManager.getTransactionContext())) return entityManager;
  const frame = findFrame(entityManager);
  if (frame) return frame.entityManager;
  const current = TransactionContext.getEntityManager(entityManager.name);
  const isSame = isOpen(current?.getTransactionContext()) && current?.getDriver() === entityManager.getDriver();
  return isSame ? (current as SqlEntityManager) : undefined;
}

/** A fork keeps its transaction when that is over: what reacts to a commit must not be sent there. */
function isOpen(transaction: Transaction | undefined): boolean {
  if (!transaction) return false;
  const { isCommitted, isRolledBack } = transaction as { isCommitted?: boolean; isRolledBack?: boolean };
  return !isCommitted && !isRolledBack;
}
