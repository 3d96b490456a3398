import { Reference } from '@mikro-orm/core';
import { compareValues } from './compare-values.js';
import type { SortKey } from './sort-key.js';

/** Negative, zero or positive. */
export type Compare<T> = (a: T, b: T) => number;

/** Compares loaded objects as the databases compared their rows. */
export function compareBy<T extends object>(keys: readonly SortKey[]): Compare<T> {
  return (a, b) => {
    for (const key of keys) {
      const order = compareByKey(key, valueAt(a, key.path), valueAt(b, key.path));
      if (order !== 0) return order;
    }
    return 0;
  };
}

/** Compares values that were read in the order of `keys`. */
export function compareValuesBy(keys: readonly SortKey[]): Compare<readonly unknown[]> {
  return (a, b) => {
    for (const [index, key] of keys.entries()) {
      const order = compareByKey(key, a[index], b[index]);
      if (order !== 0) return order;
    }
    return 0;
  };
}

function compareByKey({ kind, descending, nullsFirst }: SortKey, a: unknown, b: unknown): number {
  const aIsNull = a === null || a === undefined;
  const bIsNull = b === null || b === undefined;
  if (aIsNull || bIsNull) return aIsNull === bIsNull ? 0 : aIsNull === nullsFirst ? -1 : 1;
  const order = compareValues(kind, a, b);
  return descending ? -order : order;
}

function valueAt(row: object, path: readonly string[]): unknown {
  let value: unknown = row;
  for (const name of path) value = Reference.unwrapReference((value as Record<string, never> | null)?.[name] as never);
  return value;
}

/** Merges lists that are each in order; equal items keep the order of their lists. Skips `offset`, stops after `limit`. */
export function mergeSorted<T>(
  lists: readonly (readonly T[])[],
  compare: Compare<T>,
  offset = 0,
  limit = Infinity,
): T[] {
  const positions = lists.map(() => 0);
  const merged: T[] = [];
  const wanted = offset + limit;
  while (merged.length < wanted) {
    const from = smallest(lists, positions, compare);
    if (from < 0) break;
    merged.push(lists[from]?.[positions[from] as number] as T);
    positions[from] = (positions[from] as number) + 1;
  }
  return offset > 0 ? merged.slice(offset) : merged;
}

/** Index of the list with the smallest head. Shards are few, so looking at each beats keeping a heap. */
function smallest<T>(lists: readonly (readonly T[])[], positions: readonly number[], compare: Compare<T>): number {
  let best = -1;
  for (let i = 0; i < lists.length; i++) {
    const list = lists[i] as readonly T[];
    const position = positions[i] as number;
    if (position >= list.length) continue;
    if (best < 0 || compare(list[position] as T, lists[best]?.[positions[best] as number] as T) < 0) best = i;
  }
  return best;
}
