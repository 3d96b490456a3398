import type { SqlEntityManager } from '@mikro-orm/sql';

/** The port to data that belongs to no tenant: tenants themselves, placements, users. One EntityManager per context. */
export abstract class CentralEntityManager {
  /**
   * The central EntityManager of the current context: the same object for the whole context; inside a transaction, the
   * transaction's.
   * @throws {NoContextError} outside of a context
   */
  abstract get(): SqlEntityManager;
}
