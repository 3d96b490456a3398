import {
  type EntityMetadata,
  type EntityName,
  type FilterQuery,
  type FindOptions,
  type Primary,
  wrap,
} from '@mikro-orm/core';
import { findByKey } from '#libs/persistence';
import { AmbiguousIdentityError } from '../errors/ambiguous-identity.error.js';
import { FanOutUnsupportedError } from '../errors/fan-out-unsupported.error.js';
import { commonSortKeysOf } from '../merge/common-sort-keys.js';
import { compareBy, mergeSorted } from '../merge/merge-sorted.js';
import { sortKeysOf, toOrderBy } from '../merge/sort-key.js';
import { type FanOutQuery, OrderedFind, type PartialRows } from '../ordered/ordered-find.js';
import type { ShardId } from '../registry/shard-definition.js';
import { primaryKeyOf, type Route } from '../routing/router.js';
import { assertMergeable, assertSelected, isPlainLookup, ormOptionsOf } from './find-options.js';
import type { AskChild, ShardScope } from './shard-scope.js';
import type { ShardCallOptions } from './sharded-options.js';

type Name = EntityName<object>;
type Where = FilterQuery<object>;
type Options = FindOptions<object, never, never, never> & ShardCallOptions;

/** The reads of a sharded EntityManager. Untyped inside: the facade has the types. */
export class ShardedReader {
  constructor(private readonly scope: ShardScope) {}

  async find(entityName: Name, where: Where, options: Options): Promise<object[]> {
    const { query, shards } = await this.#fanOut(entityName, where, options);
    const ordered = OrderedFind.create(this.scope, query, shards);
    if (ordered) return ordered.all(options);
    const lists = await this.scope.ask(shards, finding(query), options);
    return merge(lists, query);
  }

  async findPartial(entityName: Name, where: Where, options: Options): Promise<PartialRows<object>> {
    const { query, shards } = await this.#fanOut(entityName, where, options);
    const ordered = OrderedFind.create(this.scope, query, shards);
    if (ordered) return ordered.partially(options);
    const answers = await this.scope.askPartially(shards, finding(query), options);
    const lists = answers.flatMap((answer) => (answer.ok ? [answer.value] : []));
    return { rows: merge(lists, query), missing: answers.filter((answer) => !answer.ok) };
  }

  async #fanOut(entityName: Name, where: Where, options: Options) {
    const meta = this.scope.metadata(entityName);
    const { shards } = await this.scope.route({ kind: 'select', meta, where }, options);
    return { shards, query: { entityName, whereOn: () => where, ...this.#plan(entityName, shards, options) } };
  }

  /** Not `async`: what is loaded already is found a thousand times in a unit of work, and needs nobody to wait for. */
  findOne(entityName: Name, where: Where, options: Options): object | null | Promise<object | null> {
    const meta = this.scope.metadata(entityName);
    const primaryKey = primaryKeyOf(meta, where);
    if (primaryKey === undefined) return this.#findFirst(meta, where, options);
    const route = this.scope.route({ kind: 'select', meta, where }, options, primaryKey);
    const read = ({ shards }: Route) => this.#findByKey({ meta, where, primaryKey, shards, options });
    return route instanceof Promise ? route.then(read) : read(route);
  }

  async #findFirst(meta: EntityMetadata, where: Where, options: Options): Promise<object | null> {
    const { shards } = await this.scope.route({ kind: 'select', meta, where }, options);
    const entityName = meta.class as Name;
    if (shards.length > 1 || options.orderBy !== undefined) {
      const [first] = await this.find(entityName, where, { ...options, limit: 1 });
      return first ?? null;
    }
    const own = ormOptionsOf(options);
    const ask: AskChild<object | null> = (em, callOff) =>
      em.findOne(entityName, where, { ...own, ...callOff } as never);
    const [found] = await this.scope.ask(shards, ask, options);
    return found ?? null;
  }

  #findByKey(lookup: Lookup): object | null | Promise<object | null> {
    const hits = this.#findInMaps(lookup);
    const [hit] = hits;
    const isLoaded = hit && hits.length === 1 && wrap(hit.entity, true).__initialized;
    // What is loaded is the answer, unless the call wants more of it than that.
    if (isLoaded && isPlainLookup(lookup.options)) return hit.entity;
    return this.#readByKey(hit ? { ...lookup, shards: hits.map(({ id }) => id) } : lookup);
  }

  async #readByKey(lookup: Lookup): Promise<object | null> {
    const { meta, shards, options } = lookup;
    const [only] = shards;
    if (only !== undefined && shards.length === 1) return this.scope.askOne(only, readingOne(lookup), options);
    const found = await this.scope.ask(shards, readingOne(lookup), options);
    const holders = shards.filter((_, index) => found[index] != null);
    if (holders.length > 1) throw new AmbiguousIdentityError(meta.className, holders);
    return found.find((entity) => entity != null) ?? null;
  }

  async count(entityName: Name, where: Where, options: ShardCallOptions): Promise<number> {
    const meta = this.scope.metadata(entityName);
    const { shards } = await this.scope.route({ kind: 'count', meta, where }, options);
    const own = ormOptionsOf(options);
    const counts = await this.scope.ask(
      shards,
      (em, callOff) => em.count(entityName, where, { ...own, ...callOff } as never),
      options,
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** What is loaded already is found without asking; loaded from two shards, it is as ambiguous as it was then. */
  #findInMaps({ meta, primaryKey, shards }: Lookup): MapHit[] {
    const hits: MapHit[] = [];
    for (const id of shards) {
      const uow = this.scope.children.findOpened(id)?.getUnitOfWork(false);
      const entity = uow?.getById(meta.class as never, primaryKey as never) as object | undefined;
      // One that is going to be removed is left to MikroORM, which flushes first.
      if (entity && !uow?.getRemoveStack().has(entity)) hits.push({ id, entity });
    }
    return hits;
  }

  #plan(entityName: Name, shards: readonly ShardId[], options: Options): Omit<FanOutQuery, 'entityName' | 'whereOn'> {
    const meta = this.scope.metadata(entityName);
    const own = ormOptionsOf(options);
    const { limit, offset = 0, orderBy } = own;
    const isOrdered = orderBy !== undefined || meta.orderBy !== undefined || limit !== undefined || offset > 0;
    const orderOn = this.#orders(entityName, own);
    if (shards.length < 2) {
      return { keys: [], offset: 0, limit, optionsOn: (id) => (isOrdered ? { ...own, orderBy: orderOn(id) } : own) };
    }
    assertMergeable(own);
    const metas = shards.map((id) => this.scope.children.metadata(entityName, id));
    const keys = isOrdered ? commonSortKeysOf(metas, orderBy, this.scope.nullsAreLow) : [];
    assertSelected(meta, keys, own);
    const perShard = { ...own, offset: undefined, limit: limit === undefined ? undefined : offset + limit };
    return { keys, offset, limit, optionsOn: (id) => (isOrdered ? { ...perShard, orderBy: orderOn(id) } : perShard) };
  }

  /**
   * The order as a shard is asked for it; its column types are those of its own engine, whose shards share their mapping.
   * One shard alone is ordered like several, so that a narrower query does not sort otherwise.
   */
  #orders(entityName: Name, { orderBy }: FindOptions<object, never, never, never>): (id: ShardId) => typeof orderBy {
    const orders = new Map<EntityMetadata, typeof orderBy>();
    return (id) => {
      const meta = this.scope.children.metadata(entityName, id);
      const order = orders.get(meta) ?? orderOn(meta, orderBy, this.scope.nullsAreLow);
      orders.set(meta, order);
      return order;
    };
  }
}

function orderOn<O>(meta: EntityMetadata, orderBy: O, nullsAreLow: boolean): O {
  try {
    return toOrderBy(sortKeysOf(meta, orderBy, nullsAreLow)) as O;
  } catch (error) {
    // An expression, or a property of a relation: one database can order by these, several were refused before.
    if (error instanceof FanOutUnsupportedError) return orderBy;
    throw error;
  }
}

/** One row by its key, and the shards that may hold it. */
interface Lookup {
  readonly meta: EntityMetadata;
  readonly where: Where;
  readonly primaryKey: Primary<object>;
  readonly shards: readonly ShardId[];
  readonly options: Options;
}

/** An object that a shard's identity map holds. */
interface MapHit {
  readonly id: ShardId;
  readonly entity: object;
}

/** Reads one row; by the statement that is kept for keys when nothing but the row is wanted, and it covers the entity. */
function readingOne({ meta, where, primaryKey, options }: Lookup): AskChild<object | null> {
  const key = isPlainLookup(options) ? keyOf(meta, primaryKey) : undefined;
  return async (em, callOff) => {
    // The signal of a shard that cannot be called off costs a listener a row, for nothing.
    const found = key && (await findByKey(em, meta.class, key, callOff.inflightQueryAbortStrategy && callOff));
    if (found !== undefined) return found;
    return em.findOne(meta.class, where as never, { ...ormOptionsOf(options), ...callOff } as never);
  };
}

/** A primary key by property. */
function keyOf({ primaryKeys, compositePK }: EntityMetadata, primaryKey: Primary<object>): object {
  if (!compositePK) return { [primaryKeys[0] as string]: primaryKey };
  const values = primaryKey as unknown as readonly unknown[];
  return Object.fromEntries(primaryKeys.map((name, index) => [name, values[index]]));
}

function finding({ entityName, whereOn, optionsOn }: FanOutQuery): AskChild<object[]> {
  return (em, callOff, id) =>
    em.find(entityName, whereOn(id), { ...optionsOn(id), ...callOff } as never) as Promise<object[]>;
}

/** The objects of all shards: in order where there is one, else those of one shard after another. */
function merge(lists: readonly (readonly object[])[], { keys, offset, limit }: FanOutQuery): object[] {
  return keys.length === 0 ? lists.flat() : mergeSorted(lists, compareBy(keys), offset, limit);
}
