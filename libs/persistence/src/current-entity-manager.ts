import type { SqlEntityManager } from '@mikro-orm/sql';
import type { TransactionOptions } from './transactions/transaction.options.js';
import { type TransactionWork, transactional } from './transactions/transactional.js';

/**
 * The port through which services reach their data: one EntityManager, that is one unit of work, per context.
 * Inject this class; an app binds it to the factory that knows where each tenant lives.
 *
 * @example
 * constructor(private readonly entityManager: CurrentEntityManager) {}
 * findAll() {
 *   return this.entityManager.get().find(Product, {});
 * }
 */
export abstract class CurrentEntityManager {
  /**
   * The EntityManager of the current context, bound to its tenant and that tenant's placement. The same object for the
   * whole context; made at the first call, and no connection is taken before its first statement. Inside a transaction it is
   * the transaction's.
   *
   * @throws {NoContextError} outside of a context
   * @throws {NoTenantInContextError} when the context names no tenant
   */
  abstract get(): SqlEntityManager;

  /**
   * Runs `work` in a transaction of the current context. While it runs, `get()` gives the EntityManager of the transaction.
   * @see transactional
   *
   * @example
   * await this.entityManager.transactional(async (em) => {
   *   const wallet = await findLocked(em, Wallet, { id });
   *   …
   * });
   */
  transactional<T>(work: TransactionWork<T>, options?: TransactionOptions): Promise<T> {
    return transactional(this.get(), work, options);
  }
}
