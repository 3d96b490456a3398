import type { FilterQuery, QueryOrderMap } from '@mikro-orm/core';

/** One key of an order: a property, or the path of an embedded one (`price.amount`). */
export interface SortKey {
  readonly path: string;
  readonly direction: 'asc' | 'desc';
}

/** Where a page ended: the value of each sort key in its last row. Values are never null: sort by what every row has. */
export type KeysetPosition = readonly (string | number | Date)[];

/** `price.amount` and a value → `{ price: { amount: value } }`. */
function nest(path: string, value: unknown): Record<string, unknown> {
  return path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as Record<string, unknown>;
}

/** The `orderBy` of a query. The last key must be unique among the rows, or pages may repeat or skip rows. */
export function keysetOrder<Entity>(keys: readonly SortKey[]): QueryOrderMap<Entity>[] {
  return keys.map(({ path, direction }) => nest(path, direction) as QueryOrderMap<Entity>);
}

/**
 * The rows behind `position`, as a condition: later in the first key, or equal there and later in the second, and so on.
 * A page costs the same wherever it lies, and rows that come or go before it move nothing.
 */
export function keysetAfter<Entity>(keys: readonly SortKey[], position: KeysetPosition): FilterQuery<Entity> {
  const branches = keys.map(({ path, direction }, index) => {
    const equal = keys.slice(0, index).map((key, at) => nest(key.path, position[at]));
    return { $and: [...equal, nest(path, { [direction === 'asc' ? '$gt' : '$lt']: position[index] })] };
  });
  return { $or: branches } as FilterQuery<Entity>;
}

/** The position of `row`. */
export function keysetPosition(keys: readonly SortKey[], row: object): KeysetPosition {
  return keys.map(
    ({ path }) =>
      path.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], row) as string,
  );
}
