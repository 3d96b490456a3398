import { TenantMoveRefusedError } from '../errors/tenant-move-refused.error.js';
import type { Placement } from '../placement.js';
import type { IsolationStrategies } from '../strategies/isolation-strategies.js';
import type { TenantDatabases } from '../strategies/tenant-databases.js';
import { findDifference, PlaceRows } from './place-rows.js';

/** How long a transaction at a place may keep a move waiting. */
const PATIENCE_MS = 30_000;

/** A move, as those who work on rows need to know it. */
export interface MoveInHand {
  readonly slug: string;
  /** Ids of moves are names of fences: nobody takes away the fence of another move. */
  readonly id: string;
  readonly source: Placement;
  readonly target: Placement;
  /** Ids of earlier moves out of the target, whose fences stand there still. */
  readonly earlier: readonly string[];
  /**
   * That nobody else has taken the move over. Asked in each transaction that changes rows, after it has and before it commits:
   * who takes over raises the fences once more, and waits for such a transaction.
   * @throws {TenantMoveRefusedError}
   */
  assertClaimed(): Promise<void>;
}

/**
 * Moves the rows of a tenant from one place to another: of another strategy, on another shard, on another engine. What is done
 * in which order, and what the central database says meanwhile, is the caller's business; each step may be repeated.
 */
export class PlaceMover {
  constructor(
    private readonly strategies: IsolationStrategies,
    private readonly databases: TenantDatabases,
  ) {}

  /** Whether both lead to the same tables, by their names. On MySQL and MariaDB a schema is a database, and the other way round. */
  isSamePlace(a: Placement, b: Placement): boolean {
    return a.shardId === b.shardId && this.#keyOf(a) === this.#keyOf(b);
  }

  /**
   * Whether both lead to the same tables, whatever they are called: two shards may be one database by two spellings of its
   * URL. Places of single tenants have names that are used once; in shared tables a mark is made at one place and looked for
   * at the other.
   */
  async isSameStorage(a: Placement, b: Placement): Promise<boolean> {
    if (this.isSamePlace(a, b)) return true;
    if (a.strategy !== 'row' || b.strategy !== 'row') return false;
    if (this.databases.engine(a.shardId).fences !== this.databases.engine(b.shardId).fences) return false;
    const there = this.#rows(b);
    return this.#rows(a).withMark(PATIENCE_MS, (mark) => there.hasMark(mark));
  }

  /** A table or column of a tenant's own place that holds values which would not move, and go with the place. */
  async findUnmapped(placement: Placement): Promise<string | undefined> {
    return placement.strategy === 'row' ? undefined : this.#rows(placement).findUnmapped();
  }

  /**
   * Copies the rows, after both places were closed to all writers, and compares what has come. Afterwards both are closed.
   * @returns how many rows there are
   * @throws {TenantMoveRefusedError} when the copy is not like the original, or both are the same place
   */
  async copy(move: MoveInHand): Promise<number> {
    const { slug, id, source, target, earlier } = move;
    await this.strategies.get(target.strategy, target.shardId).provision(target);
    if (await this.isSameStorage(source, target)) throw new TenantMoveRefusedError(slug, ONE_STORAGE);
    const [from, to] = [this.#rows(source, [id]), this.#rows(target, [id, ...earlier])];
    const assertClaimed = () => move.assertClaimed();
    await from.raiseFence(PATIENCE_MS, assertClaimed);
    await to.raiseFence(PATIENCE_MS, assertClaimed);
    for (const place of [from, to]) {
      const prepared = await place.findPrepared(PATIENCE_MS);
      if (prepared)
        throw new TenantMoveRefusedError(slug, `the transaction ${prepared} is prepared, and not finished.`);
    }
    await to.empty(assertClaimed);
    const content = await from.copyTo(to, assertClaimed);
    const difference = findDifference(content, await to.read());
    if (difference) throw new TenantMoveRefusedError(slug, `the copy is not like the original (${difference}).`);
    return [...content.values()].reduce((sum, { rows }) => sum + rows, 0);
  }

  /** Lets work begin at the target: there is no fence any more. */
  open({ id, target, earlier }: MoveInHand): Promise<void> {
    return this.#rows(target, [id, ...earlier]).lowerFence(PATIENCE_MS);
  }

  /** Removes what has come to the target, and lets work go on at the source. Fences of earlier moves stay. */
  async undo(move: MoveInHand): Promise<void> {
    const { id, source, target, earlier } = move;
    if (target.strategy !== 'row') await this.#drop(target);
    else {
      // They are one when that is why the move is given up.
      if (!(await this.isSameStorage(source, target))) {
        await this.#rows(target, [id, ...earlier]).empty(() => move.assertClaimed());
      }
      await this.#rows(target, [id]).lowerFence(PATIENCE_MS);
    }
    await this.#rows(source, [id]).lowerFence(PATIENCE_MS);
  }

  /**
   * Removes what the source holds of the tenant. In shared tables the fence stays: work that began before the move would write
   * there, and nobody would ever see it.
   * @param live  where the tenant's rows are now
   * @returns whether a fence is left, for `lower` to take away some day
   * @throws {TenantMoveRefusedError} when the rows are there
   */
  async clear(move: MoveInHand, live: Placement): Promise<boolean> {
    const { slug, id, source } = move;
    if (await this.isSameStorage(source, live)) {
      throw new TenantMoveRefusedError(slug, `nothing is removed: ${ONE_STORAGE}`);
    }
    if (source.strategy === 'row') {
      await this.#rows(source, [id]).empty(() => move.assertClaimed());
      return true;
    }
    await move.assertClaimed();
    await this.#drop(source);
    return false;
  }

  /** Takes the move's own fence away from where it may stand. */
  async lower({ id, source }: Pick<MoveInHand, 'id' | 'source'>): Promise<void> {
    await this.#rows(source, [id]).lowerFence(PATIENCE_MS);
  }

  /** Names of places are used once, so whatever is dropped is nobody's new one. */
  #drop(placement: Placement): Promise<void> {
    return this.strategies.get(placement.strategy, placement.shardId).drop(placement);
  }

  #rows(placement: Placement, fences: readonly string[] = []): PlaceRows {
    const { strategy, shardId } = placement;
    return new PlaceRows(this.strategies.get(strategy, shardId), this.databases.engine(shardId), placement, fences);
  }

  #keyOf({ strategy, shardId, schemaName, databaseName }: Placement): string {
    const { schemas, hasSearchPath } = this.databases.engine(shardId).places;
    if (strategy === 'row') return 'shared tables';
    if (strategy === 'database') return schemas && !hasSearchPath ? `${databaseName}` : `database ${databaseName}`;
    return `${schemaName}`;
  }
}

const ONE_STORAGE = 'the place it would leave and the one it would go to are the same tables, by two names.';
