import { FanOutUnsupportedError } from '../errors/fan-out-unsupported.error.js';
import { compareValues, type ValueKind } from '../merge/compare-values.js';
import { compileCondition } from '../merge/condition.js';
import { compareBy } from '../merge/merge-sorted.js';
import { parseDirection, type SortKey } from '../merge/sort-key.js';
import type { AggregatePlan, Part } from './aggregate-plan.js';
import type { AggregateQuery, AggregateRow } from './aggregate-query.js';
import { decode, decodeSum, encodeAverage, encodeSum, type Sum } from './decode.js';
import type { ShardPart } from './shard-aggregate.js';

/** One group while shards' parts are put together. */
interface Group {
  readonly keys: readonly unknown[];
  readonly folded: unknown[];
  readonly distincts: Set<string>[];
}

/** Puts the parts of all shards together, one group at a time. */
export class MergedGroups {
  readonly #groups = new Map<string, Group>();
  /** Per number of distinct values: how many of all groups together. */
  readonly #distinctValues: number[] = [];

  constructor(private readonly plan: AggregatePlan) {
    // Without groups there is one row, also when no shard was asked.
    if (plan.groups.length === 0) this.#groupOf([]);
  }

  /** Groups, or values of the largest set of distinct values, whichever are more. */
  get size(): number {
    return Math.max(this.#groups.size, ...this.#distinctValues);
  }

  /** Adds one shard's part of a group. */
  add({ groups, parts }: ShardPart): void {
    const group = this.#groupOf(groups);
    for (const [index, part] of this.plan.parts.entries()) {
      group.folded[index] = fold(part, group.folded[index], decodePart(part, parts[index] ?? null));
    }
  }

  /** Adds one distinct value, last among `groups`, to the group of those before it. Nulls are not counted. */
  addDistinct(index: number, groups: ShardPart['groups']): void {
    const value = groups.at(-1) ?? null;
    const kind = this.plan.distincts[index];
    if (value === null || !kind) return;
    const values = this.#groupOf(groups.slice(0, -1)).distincts[index];
    const before = values?.size ?? 0;
    values?.add(identityOf(decode(kind, value)));
    this.#distinctValues[index] = (this.#distinctValues[index] ?? 0) + (values?.size ?? 0) - before;
  }

  /** The finished rows. */
  rows(): AggregateRow[] {
    return [...this.#groups.values()].map((group) => {
      const keys = this.plan.groups.map(({ name }, index) => [name, group.keys[index]]);
      return Object.fromEntries([
        ...keys,
        ...this.plan.results.map((result) => [result.name, this.#finish(result, group)]),
      ]);
    });
  }

  #finish(result: AggregatePlan['results'][number], { folded, distincts }: Group): unknown {
    if (result.distinct !== undefined) return distincts[result.distinct]?.size;
    const [first, second] = result.parts.map((position) => folded[position]);
    if (result.isAverage) return encodeAverage(result, (first ?? null) as Sum, second as Sum);
    const [position] = result.parts as [number];
    if (this.plan.parts[position]?.fold !== 'sum') return first ?? null;
    const isCount = this.plan.parts[position]?.call === 'count';
    return encodeSum(result, (first ?? (isCount ? 0n : null)) as Sum);
  }

  #groupOf(texts: ShardPart['groups']): Group {
    const keys = this.plan.groups.map(({ value }, index) => decode(value, texts[index] ?? null));
    // Engines write the same date or decimal differently, so groups are told apart by their decoded values.
    const identity = keys.map(identityOf).join('\u0000');
    const known = this.#groups.get(identity);
    if (known) return known;
    const group = { keys, folded: [], distincts: this.plan.distincts.map(() => new Set<string>()) };
    this.#groups.set(identity, group);
    return group;
  }
}

function identityOf(value: unknown): string {
  return value === null ? 'null' : `=${value instanceof Date ? value.getTime() : String(value)}`;
}

function decodePart({ fold: how, call, value }: Part, text: string | number | null): unknown {
  return how === 'sum' ? decodeSum(call === 'count' ? undefined : value, text) : value && decode(value, text);
}

function fold({ fold: how, value }: Part, a: unknown, b: unknown): unknown {
  if (b === null || b === undefined) return a;
  if (a === null || a === undefined) return b;
  if (how === 'sum') return (a as bigint) + (b as bigint);
  const order = compareValues(value?.kind ?? 'number', a, b);
  return (how === 'min') === order <= 0 ? a : b;
}

/** Having, order and page of finished rows. */
export function arrange(
  rows: AggregateRow[],
  plan: AggregatePlan,
  { having, orderBy = {}, limit, offset = 0 }: AggregateQuery<object>,
  nullsAreLow: boolean,
): AggregateRow[] {
  const kinds = new Map<string, ValueKind>([
    ...plan.groups.map(({ name, value }) => [name, value.kind] as const),
    ...plan.results.map(({ name, kind }) => [name, kind] as const),
  ]);
  const condition = compileCondition(having, (name) => kinds.get(name));
  if (!condition)
    throw new FanOutUnsupportedError('"having" names something else than groups and results, or an unknown operator.');
  const directions = {
    ...orderBy,
    ...Object.fromEntries(plan.groups.flatMap(({ name }) => (name in orderBy ? [] : [[name, 'asc']]))),
  };
  const keys = Object.entries(directions).map(([name, direction]): SortKey => {
    const kind = kinds.get(name);
    if (!kind)
      throw new FanOutUnsupportedError(`"${name}" is neither a group nor a result, so rows cannot be ordered by it.`);
    return { path: [name], kind, nullable: true, ...parseDirection(direction, nullsAreLow) };
  });
  const sorted = rows.filter(condition).sort(compareBy(keys));
  return sorted.slice(offset, limit === undefined ? undefined : offset + limit);
}
