import type { SqlEntityManager } from '@mikro-orm/sql';

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
   * whole context; made at the first call, and no connection is taken before its first statement.
   *
   * @throws {NoContextError} outside of a context
   * @throws {NoTenantInContextError} when the context names no tenant
   */
  abstract get(): SqlEntityManager;
}
