import type { SqlEntityManager } from '@mikro-orm/sql';
import type { EngineName } from '#libs/persistence';
import type { IsolationStrategyName, Placement } from '../placement.js';

/** Names of what only one tenant has; which of them, if any, depends on the strategy. */
export type PlaceNames = Pick<Placement, 'schemaName' | 'databaseName'>;

/** A strategy in force: one unit of work at a tenant's place. */
export interface AppliedStrategy {
  /** Works at the place and nowhere else. No connection is taken before its first statement. */
  readonly entityManager: SqlEntityManager;
  /** Gives back what the strategy holds for it. Called once, when the unit of work is over; it does not throw. */
  revert(): void;
}

/**
 * How the rows of tenants are kept apart. There is one object of each strategy in a process, for all tenants and shards; the
 * placement says which tenant and where. The tenant's id in every row and the guard stay in force under all of them: what a
 * strategy adds is a second wall, and a place that can be restored, moved or dropped alone.
 *
 * Every implementation passes `isolationStrategyCases` of `#libs/testing` on each of its engines.
 *
 * @see stancl/tenancy's bootstrappers: apply and revert are a pair. Ours are chosen per tenant, not per application.
 */
export interface IsolationStrategy {
  readonly name: IsolationStrategyName;
  /** Engines that can express it. On others nothing below is called. */
  readonly engines: readonly EngineName[];

  /** What the place of a new tenant is called. Pure: the same id gives the same names. */
  nameFor(tenantId: string): PlaceNames;

  /**
   * Makes the place, with empty tables. Before the first row, outside of any transaction. May be called again: what is
   * there already stays.
   */
  provision(placement: Placement): Promise<void>;

  /**
   * Brings the tables of the place up to date. Nothing to do where tenants share them: those are the shard's.
   * @returns the names of the migrations that ran
   */
  migrate(placement: Placement): Promise<readonly string[]>;

  /**
   * Starts a unit of work. Synchronous, and the place may be missing: the first statement finds out.
   *
   * Nothing may rely on state that somebody left in a pooled connection.
   */
  apply(placement: Placement): AppliedStrategy;

  /** Removes the place with all the tenant's rows, for good. Already gone is fine; other tenants' rows are not touched. */
  drop(placement: Placement): Promise<void>;
}
