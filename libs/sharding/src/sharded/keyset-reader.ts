import { type EntityMetadata, type EntityName, type FilterQuery, type FindOptions, Utils } from '@mikro-orm/core';
import { fingerprint } from '../cursor/fingerprint.js';
import type { CursorScope, ShardCursors, ShardPositions } from '../cursor/shard-cursor.js';
import { FanOutUnsupportedError } from '../errors/fan-out-unsupported.error.js';
import { BY_BYTES } from '../merge/binary-order.js';
import { commonSortKeysOf } from '../merge/common-sort-keys.js';
import { behind, columnsOf, type KeysetPosition, positionOf, positionOfValues } from '../merge/keyset.js';
import { compareBy, mergeSorted } from '../merge/merge-sorted.js';
import { type SortKey, sortKeysOf, toOrderBy } from '../merge/sort-key.js';
import { type FanOutQuery, OrderedFind } from '../ordered/ordered-find.js';
import type { ShardId } from '../registry/shard-definition.js';
import { assertMergeable, assertSelected, ormOptionsOf } from './find-options.js';
import type { AskChild, ShardScope } from './shard-scope.js';
import type { ShardCallOptions } from './sharded-options.js';

type Name = EntityName<object>;
type Where = FilterQuery<object>;
type Options = FindOptions<object, never, never, never> & ShardCallOptions;

/** A page, and how to go on. */
export interface ShardedPage<T> {
  readonly items: T[];
  /** Give it as `after` to get the next page; `null` behind the last one. */
  readonly cursor: string | null;
}

/** One query, read piece by piece: each shard from a position of its own. */
interface KeysetPlan {
  readonly meta: EntityMetadata;
  readonly where: Where;
  readonly keys: readonly SortKey[];
  readonly shards: readonly ShardId[];
  readonly own: FindOptions<object, never, never, never>;
  readonly options: Options;
}

/** Reads in pages and streams: what lies behind a position costs the same wherever it lies. Untyped inside, like the reader. */
export class KeysetReader {
  constructor(
    private readonly scope: ShardScope,
    private readonly cursors: ShardCursors,
  ) {}

  /** @param first  rows at most; @param after  cursor of the page before */
  async page(
    entityName: Name,
    where: Where,
    { first, after, ...options }: Options & { first: number; after?: string | null },
  ): Promise<ShardedPage<object>> {
    const plan = await this.#plan(entityName, where, options);
    const { keys, shards, meta } = plan;
    if (!Number.isSafeInteger(first) || first < 1) throw new FanOutUnsupportedError('A page holds one row or more.');
    const query = fingerprint([meta.className, where ?? null, keys.map(({ kind: _kind, ...key }) => ({ ...key }))]);
    const scope: CursorScope = { query, shards, keys };
    const positions = after == null ? new Map<ShardId, KeysetPosition>() : this.cursors.decode(scope, after);
    const { items, lastOf, isLast } = await this.#read(plan, positions, first);
    return { items, cursor: isLast ? null : this.cursors.encode(scope, new Map([...positions, ...lastOf])) };
  }

  /** Rows first, and objects of the page's own, where that can be; else as objects. */
  async #read(plan: KeysetPlan, positions: ShardPositions, first: number) {
    const { keys, shards, meta, options } = plan;
    // One more than wanted tells whether there is a next page.
    const callOn = this.#callOn(plan, positions, first + 1);
    const query: FanOutQuery = {
      entityName: meta.class as Name,
      keys,
      offset: 0,
      limit: first,
      whereOn: (id) => callOn(id).where,
      optionsOn: (id) => callOn(id).options,
    };
    const page = await OrderedFind.create(this.scope, query, shards)?.page(options);
    if (page) {
      const lastOf = [...page.lastOf].map(([id, values]) => [id, positionOfValues(keys, values)] as const);
      return { ...page, lastOf };
    }
    const lists = await this.scope.ask(shards, this.#reading(plan, positions, first + 1), options);
    const items = mergeSorted(lists, compareBy(keys), 0, first);
    const isLast = lists.reduce((sum, { length }) => sum + length, 0) <= first;
    return { items, isLast, lastOf: lastPositions(plan, lists, items) };
  }

  /**
   * Every row in order, `chunkSize` rows of each shard in memory at a time. Objects are of EntityManagers that are let go
   * with their chunk.
   */
  async *stream(
    entityName: Name,
    where: Where,
    { chunkSize = 500, ...options }: Options & { chunkSize?: number },
  ): AsyncGenerator<object, void> {
    if (!Number.isSafeInteger(chunkSize) || chunkSize < 1)
      throw new FanOutUnsupportedError('A chunk holds one row or more.');
    const plan = await this.#plan(entityName, where, options);
    const compare = compareBy(plan.keys);
    const sources = plan.shards.map((id) => this.#rowsOf(id, plan, chunkSize));
    try {
      const heads = await Promise.all(sources.map((source) => source.next()));
      for (let least = leastOf(heads, compare); least >= 0; least = leastOf(heads, compare)) {
        yield (heads[least] as IteratorYieldResult<object>).value;
        heads[least] = await (sources[least] as AsyncGenerator<object, void>).next();
      }
    } finally {
      await Promise.all(sources.map((source) => source.return()));
    }
  }

  async *#rowsOf(id: ShardId, plan: KeysetPlan, size: number): AsyncGenerator<object, void> {
    let positions: ShardPositions = new Map();
    for (;;) {
      const [rows = []] = await this.scope.ask([id], this.#reading(plan, positions, size, true), plan.options);
      yield* rows;
      if (rows.length < size) return;
      positions = new Map([[id, positionOf(plan.keys, rows.at(-1) as object)]]);
    }
  }

  async #plan(entityName: Name, where: Where, options: Options): Promise<KeysetPlan> {
    const meta = this.scope.metadata(entityName);
    const { orderBy, ...own } = ormOptionsOf(options);
    const { shards } = await this.scope.route({ kind: 'select', meta, where }, options);
    const metas = shards.map((id) => this.scope.children.metadata(entityName, id));
    const keys = commonSortKeysOf(metas, orderBy, this.scope.nullsAreLow);
    assertMergeable({ ...own, limit: undefined });
    for (const name of ['limit', 'offset'] as const) {
      if (own[name] !== undefined) throw new FanOutUnsupportedError(`"${name}" is no option of pages and streams.`);
    }
    assertSelected(meta, keys, own);
    for (const key of keys) if (key.kind === 'text') columnsOf(meta, String)(key);
    return { meta, where, keys, shards, own, options };
  }

  #reading(plan: KeysetPlan, positions: ShardPositions, limit: number, isDetached = false): AskChild<object[]> {
    const callOn = this.#callOn(plan, positions, limit);
    return (em, callOff, id) => {
      const { where, options } = callOn(id);
      const reader = isDetached ? em.fork(OWN_OBJECTS) : em;
      return reader.find(plan.meta.class as never, where, { ...options, ...callOff } as never) as Promise<object[]>;
    };
  }

  /** What a shard is asked, from its own position on. */
  #callOn({ meta, where, keys, own }: KeysetPlan, positions: ShardPositions, limit: number) {
    return (id: ShardId): { readonly where: Where; readonly options: Options } => {
      const position = positions.get(id);
      const ownMeta = this.scope.children.metadata(meta.class, id);
      // Column types, and with them how a key is compared, are those of the shard's own engine.
      const ownKeys = sortKeysOf(ownMeta, this.#orderOf(keys), true);
      const columns = columnsOf(ownMeta, BY_BYTES[this.scope.engineOf(id).name]);
      const rest = position ? { $and: [asCondition(meta, where), behind(ownKeys, position, columns)] } : where;
      return { where: (rest ?? {}) as Where, options: { ...own, limit, orderBy: toOrderBy(ownKeys) } as Options };
    };
  }

  /** The full order once more, as written for the mapping of another engine. */
  #orderOf(keys: readonly SortKey[]): object[] {
    return keys.map(({ path, descending, nullsFirst }) => {
      const direction = `${descending ? 'desc' : 'asc'} nulls ${nullsFirst ? 'first' : 'last'}`;
      return path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), direction) as object;
    });
  }
}

/** The same shard and transaction, and nothing that is loaded. */
const OWN_OBJECTS = { clear: true, keepTransactionContext: true, disableContextResolution: true, useContext: false };

/** Where each shard stands when `items` are delivered: behind its last one among them. */
function lastPositions(
  { keys, shards }: KeysetPlan,
  lists: readonly (readonly object[])[],
  items: readonly object[],
): (readonly [ShardId, KeysetPosition])[] {
  const delivered = new Set(items);
  return shards.flatMap((id, index) => {
    const last = lists[index]?.findLast((row) => delivered.has(row));
    return last ? [[id, positionOf(keys, last)] as const] : [];
  });
}

function leastOf(heads: readonly IteratorResult<object, void>[], compare: (a: object, b: object) => number): number {
  let least = -1;
  for (const [index, head] of heads.entries()) {
    if (head.done) continue;
    const best = heads[least] as IteratorYieldResult<object> | undefined;
    if (!best || compare(head.value, best.value) < 0) least = index;
  }
  return least;
}

/** A condition that can stand beside another one. */
function asCondition(meta: EntityMetadata, where: Where): object {
  if (where === undefined || where === null) return {};
  if (Utils.isPlainObject(where)) return where;
  if (!meta.compositePK) return { [meta.primaryKeys[0] as string]: where };
  throw new FanOutUnsupportedError('A page or stream over composite keys wants its condition as an object.');
}
