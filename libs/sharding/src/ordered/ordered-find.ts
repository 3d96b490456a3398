import type { EntityName, FilterQuery, FindOptions } from '@mikro-orm/core';
import { compareValuesBy, mergeSorted } from '../merge/merge-sorted.js';
import type { SortKey } from '../merge/sort-key.js';
import type { ShardId } from '../registry/shard-definition.js';
import type { AskChild, ShardScope } from '../sharded/shard-scope.js';
import type { ShardCallOptions } from '../sharded/sharded-options.js';
import { type SortValues, sortValuesOf } from './sort-values.js';
import { type DriverRow, type FindCall, makeObjects, mayBeCached, readRows } from './split-find.js';

/** One query over several shards, and how its parts become one answer. */
export interface FanOutQuery {
  readonly entityName: EntityName<object>;
  whereOn(id: ShardId): FilterQuery<object>;
  /** The full order; empty where there is none. */
  readonly keys: readonly SortKey[];
  readonly offset: number;
  readonly limit: number | undefined;
  /** What each shard is asked with. */
  optionsOn(id: ShardId): FindOptions<object, never, never, never>;
}

/** Rows of the shards that answered, and those that did not. */
export interface PartialRows<T> {
  readonly rows: T[];
  readonly missing: readonly { readonly id: ShardId; readonly error: unknown }[];
}

/** The first rows of all shards, and what the last one of each shard among them was compared by. */
export interface OrderedPage {
  readonly items: object[];
  readonly lastOf: ReadonlyMap<ShardId, SortValues>;
  /** Whether nothing that was read is left out. */
  readonly isLast: boolean;
}

/** Part of a call's time that shards have to give their rows, where those of one that is late can be done without. */
const READING_SHARE = 0.75;

/** A row on its way to be an object. */
interface Candidate {
  readonly id: ShardId;
  readonly row: DriverRow;
  readonly values: SortValues;
}

/**
 * A find over several shards in one order: their rows are merged first, by what the databases hold, and objects are made
 * of those alone that are part of the answer.
 */
export class OrderedFind {
  readonly #compare: (a: SortValues, b: SortValues) => number;

  private constructor(
    private readonly scope: ShardScope,
    private readonly query: FanOutQuery,
    private readonly shards: readonly ShardId[],
  ) {
    this.#compare = compareValuesBy(query.keys);
  }

  /** `undefined` for a query without an order, and where rows alone cannot be had or compared. */
  static create(scope: ShardScope, query: FanOutQuery, shards: readonly ShardId[]): OrderedFind | undefined {
    if (query.keys.length === 0) return undefined;
    const isPossible = shards.every((id) => {
      const meta = scope.children.metadata(query.entityName, id);
      return sortValuesOf(meta, query.keys) && !mayBeCached(scope.children.get(id), query.optionsOn(id));
    });
    return isPossible ? new OrderedFind(scope, query, shards) : undefined;
  }

  /** @throws {ShardUnavailableError} for the first shard that does not answer */
  async all(options: ShardCallOptions): Promise<object[]> {
    const within = this.#deadline(options);
    const winners = this.#merge(await this.#read(within()));
    return this.#make(winners, within());
  }

  /** Like `all`. Positions are those of the rows: an object that was loaded before may say otherwise. */
  async page(options: ShardCallOptions): Promise<OrderedPage> {
    const within = this.#deadline(options);
    const lists = await this.#read(within());
    const winners = this.#merge(lists);
    const read = lists.reduce((sum, { length }) => sum + length, 0);
    return {
      items: await this.#make(winners, within()),
      lastOf: new Map(winners.map(({ id, values }) => [id, values])),
      isLast: read === winners.length,
    };
  }

  async partially(options: ShardCallOptions): Promise<PartialRows<object>> {
    const within = this.#deadline(options);
    // One that is silent takes all the time it is given; relations of the others are still to be loaded then.
    const answers = await this.scope.askPartially(this.shards, this.#reading, within(READING_SHARE));
    const missing = answers.filter((answer) => !answer.ok);
    let lists = answers.flatMap((answer) => (answer.ok ? [answer.value] : []));
    for (;;) {
      const winners = this.#merge(lists);
      const byShard = Map.groupBy(winners, ({ id }) => id);
      const ids = [...byShard.keys()];
      const made = await this.scope.askPartially(ids, this.#making(byShard), within());
      const lost = made.filter((answer) => !answer.ok);
      if (lost.length === 0) {
        const objects = made.flatMap((answer) => (answer.ok ? [answer.value] : []));
        return { rows: inOrder(winners, ids, objects), missing };
      }
      // Without the rows of a shard that is away by now, others are part of the answer.
      missing.push(...lost);
      lists = lists.filter(([first]) => !lost.some(({ id }) => id === first?.id));
    }
  }

  #read(options: ShardCallOptions): Promise<Candidate[][]> {
    return this.scope.ask(this.shards, this.#reading, options);
  }

  async #make(winners: readonly Candidate[], options: ShardCallOptions): Promise<object[]> {
    const byShard = Map.groupBy(winners, ({ id }) => id);
    const ids = [...byShard.keys()];
    return inOrder(winners, ids, await this.scope.ask(ids, this.#making(byShard), options));
  }

  readonly #reading: AskChild<Candidate[]> = async (em, callOff, id) => {
    const read = sortValuesOf(this.scope.children.metadata(this.query.entityName, id), this.query.keys);
    const rows = (await readRows(em, this.#call(id, callOff))).map((row) => ({ id, row, values: read?.(row) ?? [] }));
    // A condition on a collection gives a row once for each of its items; the last sort keys are the primary key.
    return rows.filter((it, index) => index === 0 || this.#compare((rows[index - 1] as Candidate).values, it.values));
  };

  #making(byShard: ReadonlyMap<ShardId, readonly Candidate[]>): AskChild<object[]> {
    return (em, callOff, id) => {
      const rows = byShard.get(id)?.map(({ row }) => row) ?? [];
      return makeObjects(em, this.#call(id, callOff), rows);
    };
  }

  #call(id: ShardId, callOff: object): FindCall {
    const { entityName, whereOn, optionsOn } = this.query;
    return { entityName, where: whereOn(id), options: { ...optionsOn(id), ...callOff } };
  }

  #merge(lists: readonly (readonly Candidate[])[]): Candidate[] {
    const { offset, limit } = this.query;
    return mergeSorted(lists, (a, b) => this.#compare(a.values, b.values), offset, limit);
  }

  /** Both steps share the time of the call: the rest of it, or a part of the rest. */
  #deadline(options: ShardCallOptions): (share?: number) => ShardCallOptions {
    const deadlineMs = options.deadlineMs ?? this.scope.options.limits.deadlineMs;
    const start = performance.now();
    const left = () => deadlineMs - (performance.now() - start);
    return (share = 1) => ({ ...options, deadlineMs: Math.max(1, Math.ceil(left() * share)) });
  }
}

/** The objects as their rows were in order; each list has those of one shard. */
function inOrder(
  winners: readonly Candidate[],
  ids: readonly ShardId[],
  lists: readonly (readonly object[])[],
): object[] {
  const rest = new Map(ids.map((id, index) => [id, (lists[index] ?? []).values()]));
  return winners.map(({ id }) => rest.get(id)?.next().value as object);
}
