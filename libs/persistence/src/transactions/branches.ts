import type { AbstractSqlConnection, SqlEntityManager } from '@mikro-orm/sql';
import type { ControlledTransaction } from 'kysely';
import { type Branch, beginAs, findBranch } from '../engines/branch-keeper.js';
import type { BranchName } from '../engines/two-phase-dialect.js';

/**
 * Begins a transaction that can take part in a two-phase commit. Statements, savepoints, commit and rollback are those of
 * any transaction; before its commit it may be prepared.
 *
 * @param begin  begins it, on `em`'s own connection pool
 */
export function beginBranch<T>(em: SqlEntityManager, name: BranchName, begin: () => Promise<T>): Promise<T> {
  return beginAs(em.getDriver().getConnection('write') as AbstractSqlConnection, name, begin);
}

/**
 * Prepares the transaction of `em`: from now on it survives whatever happens, keeps its locks, and takes no statement but
 * its commit or rollback.
 */
export async function prepareBranch(em: SqlEntityManager): Promise<void> {
  await withBranch(em, (branch) => branch.prepare());
}

/**
 * Leaves a prepared transaction of `em` to others: a rollback from now on only gives the connection back. For when nobody
 * knows what was decided, and for when the decision is known and this connection cannot carry it out.
 */
export async function keepBranch(em: SqlEntityManager): Promise<void> {
  await withBranch(em, async (branch) => branch.keep());
}

async function withBranch(em: SqlEntityManager, fn: (branch: Branch) => Promise<void>): Promise<void> {
  const transaction = em.getTransactionContext<ControlledTransaction<unknown>>();
  if (!transaction) throw new TypeError('This EntityManager is in no transaction.');
  await transaction.getExecutor().provideConnection(async (connection) => {
    const branch = findBranch(connection);
    if (!branch) throw new TypeError('This transaction was not begun as a branch.');
    await fn(branch);
  });
}
