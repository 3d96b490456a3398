import type { EntityMetadata, EntityProperty } from '@mikro-orm/core';
import { FanOutUnsupportedError } from '../errors/fan-out-unsupported.error.js';
import type { ValueKind } from '../merge/compare-values.js';
import { isFine } from '../merge/keyset.js';
import { valueKindOf } from '../merge/sort-key.js';
import type { AggregateQuery } from './aggregate-query.js';

/** How results of shards are put together. */
export type Fold = 'sum' | 'min' | 'max';

/** One column that each shard computes. */
export interface Part {
  readonly fold: Fold;
  /** SQL function; `undefined` for a group. */
  readonly call: 'count' | 'sum' | 'min' | 'max';
  readonly value: Value | undefined;
}

/** A property whose values are grouped, compared or added. */
export interface Value {
  readonly property: EntityProperty;
  readonly kind: ValueKind;
  readonly isFloat: boolean;
}

/** One result, out of parts. */
export interface ResultPlan {
  readonly name: string;
  readonly kind: ValueKind;
  /** Positions in `parts`; two for an average. */
  readonly parts: readonly number[];
  readonly isAverage: boolean;
  /** Position in `distincts`, for a number of distinct values. */
  readonly distinct?: number;
  readonly value?: Value;
}

/** What is asked of every shard, and what becomes of it. */
export interface AggregatePlan {
  readonly groups: readonly { readonly name: string; readonly value: Value }[];
  readonly parts: readonly Part[];
  readonly distincts: readonly Value[];
  readonly results: readonly ResultPlan[];
}

/** @throws {FanOutUnsupportedError} for what cannot be computed from parts */
export function planAggregate(meta: EntityMetadata, query: AggregateQuery<object>): AggregatePlan {
  const groups = (query.groupBy ?? []).map((name) => ({ name: String(name), value: readExact(meta, String(name)) }));
  const parts: Part[] = [];
  const distincts: Value[] = [];
  const results = Object.entries(query.select ?? {}).map(([name, aggregate]): ResultPlan => {
    if (aggregate === 'count') {
      return { name, kind: 'number', parts: [add(parts, 'count', 'sum')], isAverage: false };
    }
    const [[call, of]] = Object.entries(aggregate) as unknown as [[string, string]];
    if (call === 'countDistinct') {
      return { name, kind: 'number', parts: [], isAverage: false, distinct: distincts.push(readExact(meta, of)) - 1 };
    }
    const value = readValue(meta, of);
    if (call === 'min' || call === 'max') {
      return { name, kind: value.kind, parts: [add(parts, call, call, value)], isAverage: false, value };
    }
    if (!['number', 'bigint', 'decimal'].includes(value.kind) || (call !== 'sum' && call !== 'avg')) {
      throw new FanOutUnsupportedError(
        `"${name}" asks for the ${call} of ${meta.className}.${of}, which is no number.`,
      );
    }
    const sum = add(parts, 'sum', 'sum', value);
    if (call === 'sum') return { name, kind: value.kind, parts: [sum], isAverage: false, value };
    return { name, kind: 'number', parts: [sum, add(parts, 'count', 'sum', value)], isAverage: true, value };
  });
  const twice = results.find(({ name }) => groups.some((group) => group.name === name));
  if (twice) throw new FanOutUnsupportedError(`"${twice.name}" is the name of a group and of a result.`);
  return { groups, parts, distincts, results };
}

function add(parts: Part[], call: Part['call'], fold: Fold, value?: Value): number {
  return parts.push({ call, fold, value }) - 1;
}

/** Of values that are told apart: shards' groups of one millisecond would look like one. */
function readExact(meta: EntityMetadata, name: string): Value {
  const value = readValue(meta, name);
  if (value.kind !== 'date' || !isFine(value.property)) return value;
  throw new FanOutUnsupportedError(`${meta.className}.${name} is finer than milliseconds.`);
}

function readValue(meta: EntityMetadata, name: string): Value {
  const property = (meta.properties as Record<string, EntityProperty | undefined>)[name];
  const kind = property && valueKindOf(property);
  if (!property || !kind) {
    throw new FanOutUnsupportedError(`${meta.className}.${name} cannot be grouped or aggregated over several shards.`);
  }
  const isFloat = kind === 'number' && /double|float|real/i.test(`${property.type} ${property.columnTypes?.[0]}`);
  return { property, kind, isFloat };
}
