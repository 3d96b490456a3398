import { TenantMoveRefusedError } from '../errors/tenant-move-refused.error.js';
import type { Placement } from '../placement.js';
import type { IsolationStrategies } from '../strategies/isolation-strategies.js';
import type { TenantDatabases } from '../strategies/tenant-databases.js';
import { findDifference, PlaceRows } from './place-rows.js';

/** How long a transaction at a place may keep a move waiting. */
const PATIENCE_MS = 30_000;

/**
 * Moves the rows of a tenant from one place to another: of another strategy, on another shard, on another engine. What is done
 * in which order, and what the central database says meanwhile, is the caller's business; each step may be repeated.
 */
export class PlaceMover {
  constructor(
    private readonly strategies: IsolationStrategies,
    private readonly databases: TenantDatabases,
  ) {}

  /** Whether both lead to the same tables. On MySQL and MariaDB a schema is a database, and the other way round. */
  isSamePlace(a: Placement, b: Placement): boolean {
    return a.shardId === b.shardId && this.#keyOf(a) === this.#keyOf(b);
  }

  /**
   * Copies the rows, after both places were closed to all writers, and compares what has come. Afterwards both are closed.
   * @returns how many rows there are
   * @throws {TenantMoveRefusedError} when the copy is not like the original
   */
  async copy(slug: string, source: Placement, target: Placement): Promise<number> {
    await this.strategies.get(target.strategy, target.shardId).provision(target);
    const [from, to] = [this.#rows(source), this.#rows(target)];
    await from.raiseFence(PATIENCE_MS);
    await to.raiseFence(PATIENCE_MS);
    for (const place of [from, to]) {
      const prepared = await place.findPrepared(PATIENCE_MS);
      if (prepared)
        throw new TenantMoveRefusedError(slug, `the transaction ${prepared} is prepared, and not finished.`);
    }
    await to.empty();
    const content = await from.copyTo(to);
    const difference = findDifference(content, await to.read());
    if (difference) throw new TenantMoveRefusedError(slug, `the copy is not like the original (${difference}).`);
    return [...content.values()].reduce((sum, { rows }) => sum + rows, 0);
  }

  /** Lets work begin, or go on, at a place. */
  open(placement: Placement): Promise<void> {
    return this.#rows(placement).lowerFence(PATIENCE_MS);
  }

  /**
   * Removes what a place holds of the tenant. In shared tables the fence stays: work that began before the move would write
   * there, and nobody would ever see it.
   * @returns whether a fence is left, for `open` to take away some day
   */
  async clear(placement: Placement): Promise<boolean> {
    if (placement.strategy !== 'row') {
      await this.strategies.get(placement.strategy, placement.shardId).drop(placement);
      return false;
    }
    await this.#rows(placement).empty();
    return true;
  }

  #rows(placement: Placement): PlaceRows {
    const { strategy, shardId } = placement;
    return new PlaceRows(this.strategies.get(strategy, shardId), this.databases.engine(shardId), placement);
  }

  #keyOf({ strategy, shardId, schemaName, databaseName }: Placement): string {
    const { schemas, hasSearchPath } = this.databases.engine(shardId).places;
    if (strategy === 'row') return 'shared tables';
    if (strategy === 'database') return schemas && !hasSearchPath ? `${databaseName}` : `database ${databaseName}`;
    return `${schemaName}`;
  }
}
