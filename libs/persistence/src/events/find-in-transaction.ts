import { TransactionContext } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';

/**
 * The EntityManager in whose transaction the current call runs, given any one of the same database: itself when it is in
 * a transaction, else the fork that `transactional(fn)` gave to the `fn` we are in. `undefined` outside a transaction.
 *
 * Code that holds the outer EntityManager (`CurrentEntityManager.get()` does) must not use it for statements inside
 * `transactional`: they would leave the transaction, and wait for it for ever where there is one connection.
 */
export function findInTransaction(entityManager: SqlEntityManager): SqlEntityManager | undefined {
  if (entityManager.getTransactionContext()) return entityManager;
  const current = TransactionContext.getEntityManager(entityManager.name);
  const isSame = current?.getTransactionContext() && current.getDriver() === entityManager.getDriver();
  return isSame ? (current as SqlEntityManager) : undefined;
}
