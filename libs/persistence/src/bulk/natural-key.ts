import type { EntityMetadata } from '@mikro-orm/core';
import { BulkKeyError } from '../errors/bulk-key.error.js';
import type { EntityLayout } from './entity-layout.js';
import { uniqueKeysOf } from './row-location.js';

/**
 * The columns that tell rows apart: that of the tenant, where rows have one, and those of `by`.
 * @throws {BulkKeyError} when two rows could have the same values in them
 */
export function placesOf(layout: EntityLayout, by: readonly string[]): number[] {
  const { columns, meta } = layout;
  const named = by.map((name) => columns.flatMap((column, c) => (column.topProperty === name ? [c] : [])));
  const isUnique = keysOf(meta).some((key) => key.every((name) => name === 'tenantId' || by.includes(name)));
  if (!isUnique || named.some((places) => places.length === 0)) throw new BulkKeyError(meta.className, by);
  return [...new Set([...layout.tenants, ...named.flat()])];
}

function keysOf(meta: EntityMetadata): string[][] {
  return [meta.primaryKeys.map(String), ...uniqueKeysOf(meta)];
}

/** One string for the key of a row, to find it by. */
export function keyText(values: readonly (readonly unknown[])[], places: readonly number[], row: number): string {
  return places.map((place) => toText(values[place]?.[row])).join('\u0000');
}

function toText(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value);
}
