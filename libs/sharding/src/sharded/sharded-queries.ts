import type { EntityName, FilterQuery, Loaded } from '@mikro-orm/core';
import type { AggregateQuery, AggregateRow } from '../aggregate/aggregate-query.js';
import { ShardedAggregator } from '../aggregate/sharded-aggregator.js';
import type { PartialRows } from '../ordered/ordered-find.js';
import type { Route } from '../routing/router.js';
import { KeysetReader, type ShardedPage } from './keyset-reader.js';
import type { ShardScope } from './shard-scope.js';
import type {
  ShardCallOptions,
  ShardedCountOptions,
  ShardedCursorOptions,
  ShardedFindOneOptions,
  ShardedFindOptions,
  ShardedStreamOptions,
} from './sharded-options.js';
import { ShardedReader } from './sharded-reader.js';

/** What a sharded EntityManager can be asked: the half of its face that writes nothing. */
export abstract class ShardedQueries {
  readonly #reader: ShardedReader;
  readonly #aggregator: ShardedAggregator;
  readonly #keysets: KeysetReader;

  protected constructor(private readonly scope: ShardScope) {
    this.#reader = new ShardedReader(scope);
    this.#aggregator = new ShardedAggregator(scope);
    this.#keysets = new KeysetReader(scope, scope.options.cursors);
  }

  /**
   * Rows of every shard concerned, in the order and within the limits that one database holding all rows would give.
   * Text is ordered by code points; ties by primary key.
   *
   * @throws {FanOutUnsupportedError} when the parts of several shards would not make the exact answer
   * @throws {ShardUnavailableError} for the first shard that does not answer; see `findPartial`
   */
  async find<E extends object, P extends string = never>(
    entityName: EntityName<E>,
    where: FilterQuery<NoInfer<E>>,
    options: ShardedFindOptions<E, P> = {},
  ): Promise<Loaded<E, P>[]> {
    const found = await this.#reader.find(entityName as never, where as never, options as never);
    this.scope.loaded(options, found);
    return found as Loaded<E, P>[];
  }

  /** `find` that leaves out shards which do not answer, and says which. */
  async findPartial<E extends object, P extends string = never>(
    entityName: EntityName<E>,
    where: FilterQuery<NoInfer<E>>,
    options: ShardedFindOptions<E, P> = {},
  ): Promise<PartialRows<Loaded<E, P>>> {
    const found = await this.#reader.findPartial(entityName as never, where as never, options as never);
    this.scope.loaded(options, found.rows);
    return found as PartialRows<Loaded<E, P>>;
  }

  /**
   * One row, or `null`. By primary key only the shards are asked that may hold it, and none when it is loaded already.
   * @throws {AmbiguousIdentityError} when several shards have a row of this primary key
   */
  async findOne<E extends object, P extends string = never>(
    entityName: EntityName<E>,
    where: FilterQuery<NoInfer<E>>,
    options: ShardedFindOneOptions<E, P> = {},
  ): Promise<Loaded<E, P> | null> {
    const found = await this.#reader.findOne(entityName as never, where as never, options as never);
    this.scope.loaded(options, [found]);
    return found as Loaded<E, P> | null;
  }

  /** A page and the number of all rows it is a page of. */
  async findAndCount<E extends object, P extends string = never>(
    entityName: EntityName<E>,
    where: FilterQuery<NoInfer<E>>,
    options: ShardedFindOptions<E, P> = {},
  ): Promise<[Loaded<E, P>[], number]> {
    const { shard, deadlineMs, filters, schema } = options;
    const countOptions = { shard, deadlineMs, filters, schema } as ShardedCountOptions<E>;
    return Promise.all([this.find(entityName, where, options), this.count(entityName, where, countOptions)]);
  }

  /**
   * A page behind a cursor, which holds one position per shard: it costs the same however far it lies, and rows that come
   * or go before it move nothing. The cursor is signed, and belongs to this condition, order and these shards.
   *
   * @throws {InvalidShardCursorError} before any SQL, for a cursor of anything else
   * @throws {FanOutUnsupportedError} when rows could be skipped or repeated
   * @example
   * const page = await em.findByCursor(Product, { orderBy: { name: 'asc' }, first: 20 });
   * const next = await em.findByCursor(Product, { orderBy: { name: 'asc' }, first: 20, after: page.cursor });
   */
  async findByCursor<E extends object, P extends string = never>(
    entityName: EntityName<E>,
    { where, ...options }: ShardedCursorOptions<E, P>,
  ): Promise<ShardedPage<Loaded<E, P>>> {
    const page = await this.#keysets.page(entityName as never, where as never, options as never);
    this.scope.loaded(options, page.items);
    return page as ShardedPage<Loaded<E, P>>;
  }

  /**
   * Every row in order, merged while it is read: memory holds `chunkSize` objects of each shard, however many there are.
   * The objects belong to no unit of work: bring one over by `merge()` to change it.
   *
   * @throws {FanOutUnsupportedError} {@link ShardUnavailableError} for a shard that is late with a chunk
   */
  stream<E extends object, P extends string = never>(
    entityName: EntityName<E>,
    { where, ...options }: ShardedStreamOptions<E, P> = {},
  ): AsyncGenerator<Loaded<E, P>, void> {
    const rows = this.#keysets.stream(entityName as never, where as never, options as never);
    return rows as AsyncGenerator<Loaded<E, P>, void>;
  }

  /** Number of rows on all shards concerned. */
  async count<E extends object>(
    entityName: EntityName<E>,
    where: FilterQuery<NoInfer<E>> = {} as FilterQuery<NoInfer<E>>,
    options: ShardedCountOptions<E> = {},
  ): Promise<number> {
    return this.#reader.count(entityName as never, where as never, options as ShardCallOptions);
  }

  /**
   * Counts, sums, averages, extremes, groups and distinct values over all shards concerned. Text is grouped and compared
   * by code points, integers and decimals are added exactly.
   *
   * @throws {FanOutUnsupportedError} before any SQL, for what cannot be computed from the shards' parts
   * @throws {NumberOutOfRangeError} for a sum of integers beyond 2^53
   * @example
   * em.aggregate(Product, { groupBy: ['type'], select: { products: 'count', mean: { avg: 'stock' } }, having: { products: { $gt: 1 } } })
   */
  async aggregate<E extends object>(
    entityName: EntityName<E>,
    query: AggregateQuery<E>,
    options: ShardCallOptions = {},
  ): Promise<AggregateRow[]> {
    return this.#aggregator.aggregate(entityName as never, query as never, options);
  }

  /** Which shards a query would ask, in this order, and why. Sends nothing. */
  explainRoute<E extends object>(
    entityName: EntityName<E>,
    where: FilterQuery<NoInfer<E>> = {} as FilterQuery<NoInfer<E>>,
    { shard }: ShardCallOptions = {},
  ): Route {
    return this.scope.router.ofQuery({ kind: 'select', meta: this.scope.metadata(entityName), where }, shard);
  }
}
