import {
  type EntityMetadata,
  type EntityName,
  type FilterQuery,
  type FindOptions,
  type Primary,
  wrap,
} from '@mikro-orm/core';
import { AmbiguousIdentityError } from '../errors/ambiguous-identity.error.js';
import { FanOutUnsupportedError } from '../errors/fan-out-unsupported.error.js';
import { compareBy, mergeSorted } from '../merge/merge-sorted.js';
import { type SortKey, sortKeysOf, toOrderBy } from '../merge/sort-key.js';
import type { ShardId } from '../registry/shard-definition.js';
import { primaryKeyOf } from '../routing/router.js';
import type { AskChild, ShardScope } from './shard-scope.js';
import type { ShardCallOptions } from './sharded-options.js';

type Name = EntityName<object>;
type Where = FilterQuery<object>;
type Options = FindOptions<object, never, never, never> & ShardCallOptions;

/** Rows of the shards that answered, and those that did not. */
export interface PartialRows<T> {
  readonly rows: T[];
  readonly missing: readonly { readonly id: ShardId; readonly error: unknown }[];
}

/** How the parts of a query over several shards become one answer. */
interface FanOutPlan {
  readonly keys: readonly SortKey[];
  readonly offset: number;
  readonly limit: number | undefined;
  /** What each shard is asked with. */
  optionsOn(id: ShardId): FindOptions<object, never, never, never>;
}

/** The reads of a sharded EntityManager. Untyped inside: the facade has the types. */
export class ShardedReader {
  constructor(private readonly scope: ShardScope) {}

  async find(entityName: Name, where: Where, options: Options): Promise<object[]> {
    const meta = this.scope.metadata(entityName);
    const { shards } = await this.scope.route({ kind: 'select', meta, where }, options);
    const plan = this.#plan(entityName, shards, options);
    const lists = await this.scope.ask(shards, finding(entityName, where, plan), options);
    return merge(lists, plan);
  }

  async findPartial(entityName: Name, where: Where, options: Options): Promise<PartialRows<object>> {
    const meta = this.scope.metadata(entityName);
    const { shards } = await this.scope.route({ kind: 'select', meta, where }, options);
    const plan = this.#plan(entityName, shards, options);
    const answers = await this.scope.askPartially(shards, finding(entityName, where, plan), options);
    const lists = answers.flatMap((answer) => (answer.ok ? [answer.value] : []));
    return { rows: merge(lists, plan), missing: answers.filter((answer) => !answer.ok) };
  }

  async findOne(entityName: Name, where: Where, options: Options): Promise<object | null> {
    const meta = this.scope.metadata(entityName);
    const route = await this.scope.route({ kind: 'select', meta, where }, options);
    const primaryKey = primaryKeyOf(meta, where);
    const isFirstOfMany = route.shards.length > 1 || options.orderBy !== undefined;
    if (primaryKey === undefined && isFirstOfMany) {
      const [first] = await this.find(entityName, where, { ...options, limit: 1 });
      return first ?? null;
    }
    const hits = primaryKey === undefined ? [] : this.#findInMaps(meta, primaryKey, route.shards);
    const [hit] = hits;
    // What is loaded is the answer, unless the call wants more of it than that.
    if (hit && hits.length === 1 && isPlainLookup(options) && wrap(hit.entity, true).__initialized) return hit.entity;
    const shards = hit ? hits.map(({ id }) => id) : route.shards;
    const { shard: _shard, deadlineMs: _deadlineMs, ...own } = options;
    const found = await this.scope.ask(
      shards,
      (em, signal) => em.findOne(entityName, where, { ...own, signal } as never) as Promise<object | null>,
      options,
    );
    const holders = shards.filter((_, index) => found[index] != null);
    if (holders.length > 1) throw new AmbiguousIdentityError(meta.className, holders);
    return found.find((entity) => entity != null) ?? null;
  }

  async count(entityName: Name, where: Where, options: ShardCallOptions): Promise<number> {
    const meta = this.scope.metadata(entityName);
    const { shards } = await this.scope.route({ kind: 'count', meta, where }, options);
    const { shard: _shard, deadlineMs: _deadlineMs, ...own } = options;
    const counts = await this.scope.ask(
      shards,
      (em, signal) => em.count(entityName, where, { ...own, signal } as never),
      options,
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** What is loaded already is found without asking; loaded from two shards, it is as ambiguous as it was then. */
  #findInMaps(meta: EntityMetadata, primaryKey: Primary<object>, shards: readonly ShardId[]): MapHit[] {
    return shards.flatMap((id) => {
      const em = this.scope.children.findOpened(id);
      const entity = em?.getUnitOfWork(false).getById(meta.class as never, primaryKey as never) as object | undefined;
      // One that is going to be removed is left to MikroORM, which flushes first.
      return em && entity && !em.getUnitOfWork(false).getRemoveStack().has(entity) ? [{ id, entity }] : [];
    });
  }

  #plan(entityName: Name, shards: readonly ShardId[], options: Options): FanOutPlan {
    const meta = this.scope.metadata(entityName);
    const { shard: _shard, deadlineMs: _deadlineMs, ...own } = options;
    const { limit, offset = 0, orderBy } = own;
    const isOrdered = orderBy !== undefined || meta.orderBy !== undefined || limit !== undefined || offset > 0;
    const orderOn = (id: ShardId) => this.#orderOn(id, entityName, own);
    if (shards.length < 2) {
      return { keys: [], offset: 0, limit, optionsOn: (id) => (isOrdered ? { ...own, orderBy: orderOn(id) } : own) };
    }
    assertMergeable(own);
    const keys = isOrdered ? sortKeysOf(meta, orderBy, this.scope.nullsAreLow) : [];
    assertSelected(meta, keys, own.fields as readonly string[] | undefined);
    const perShard = { ...own, offset: undefined, limit: limit === undefined ? undefined : offset + limit };
    return { keys, offset, limit, optionsOn: (id) => (isOrdered ? { ...perShard, orderBy: orderOn(id) } : perShard) };
  }

  /**
   * The order as one shard is asked for it; its column types are those of its own engine. One shard alone is ordered like
   * several, so that a narrower query does not sort otherwise.
   */
  #orderOn(id: ShardId, entityName: Name, { orderBy }: FindOptions<object, never, never, never>): typeof orderBy {
    try {
      return toOrderBy(sortKeysOf(this.scope.children.metadata(entityName, id), orderBy, this.scope.nullsAreLow));
    } catch (error) {
      // An expression, or a property of a relation: one database can order by these, several were refused before.
      if (error instanceof FanOutUnsupportedError) return orderBy;
      throw error;
    }
  }
}

/** An object that a shard's identity map holds. */
interface MapHit {
  readonly id: ShardId;
  readonly entity: object;
}

/** Options that say where and how long, and nothing about what. */
const ROUTING_OPTIONS = new Set(['shard', 'deadlineMs']);

function isPlainLookup(options: object): boolean {
  return Object.keys(options).every((name) => ROUTING_OPTIONS.has(name));
}

function finding(entityName: Name, where: Where, { optionsOn }: FanOutPlan): AskChild<object[]> {
  return (em, signal, id) => em.find(entityName, where, { ...optionsOn(id), signal } as never) as Promise<object[]>;
}

function merge(lists: readonly (readonly object[])[], { keys, offset, limit }: FanOutPlan): object[] {
  return keys.length === 0 ? lists.flat() : mergeSorted(lists, compareBy(keys), offset, limit);
}

/** Options whose meaning spans rows of several shards. */
function assertMergeable(options: object): void {
  for (const name of ['groupBy', 'having', 'unionWhere', 'collation']) {
    if ((options as Record<string, unknown>)[name] !== undefined) {
      throw new FanOutUnsupportedError(`The find option "${name}" does not hold over several shards; see aggregate().`);
    }
  }
}

/** What is not loaded cannot be compared. Primary keys always are. */
function assertSelected(meta: EntityMetadata, keys: readonly SortKey[], fields: readonly string[] | undefined): void {
  if (!fields || fields.includes('*')) return;
  const missing = keys.find(
    ({ path: [name] }) => !fields.includes(name as string) && !meta.primaryKeys.includes(name as never),
  );
  if (missing)
    throw new FanOutUnsupportedError(`"${missing.path.join('.')}" orders the rows and is not among "fields".`);
}
