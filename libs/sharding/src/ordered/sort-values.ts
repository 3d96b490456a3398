import type { EntityMetadata } from '@mikro-orm/core';
import { decodeDate } from '../aggregate/decode.js';
import { columnProperty } from '../merge/keyset.js';
import type { SortKey } from '../merge/sort-key.js';
import type { DriverRow } from './split-find.js';

/** What a row is compared by, in the order of the sort keys. */
export type SortValues = readonly unknown[];

/** Reads what rows are compared by; `undefined` when a key has no column of its own, but lies inside a JSON document. */
export function sortValuesOf(
  meta: EntityMetadata,
  keys: readonly SortKey[],
): ((row: DriverRow) => SortValues) | undefined {
  const columns = keys.map(({ path, kind }) => ({ property: columnProperty(meta, path), isDate: kind === 'date' }));
  if (columns.some(({ property }) => property.object)) return undefined;
  return (row) => columns.map(({ property: { name }, isDate }) => (isDate ? toDate(row[name]) : (row[name] ?? null)));
}

function toDate(value: unknown): Date | null {
  if (value === null || value === undefined) return null;
  return value instanceof Date ? value : decodeDate(String(value));
}
