import type { EntityMetadata } from '@mikro-orm/core';
import type { RowLocation } from '../errors/bulk-row.error.js';
import type { SourceRow } from './mapped-column.js';

/** Properties of every unique constraint of a class, those of its ancestors included. */
export function uniqueKeysOf(meta: EntityMetadata): string[][] {
  const keys: string[][] = [];
  for (let it: EntityMetadata | undefined = meta; it; it = it.tptParent) {
    for (const { properties, where } of it.uniques) {
      // A partial constraint lets duplicates through.
      if (properties && where === undefined) keys.push([properties].flat().map(String));
    }
  }
  for (const property of meta.props) if (property.unique) keys.push([property.name]);
  return keys;
}

/** What people know a row by: `by`, else the first unique constraint, else the primary key. The tenant goes without saying. */
function namingProperties(meta: EntityMetadata, by: readonly string[] | undefined): readonly string[] {
  return (by ?? uniqueKeysOf(meta)[0] ?? meta.primaryKeys.map(String)).filter((name) => name !== 'tenantId');
}

/** Which row an error is about, in the caller's words. */
export function locate(
  meta: EntityMetadata,
  by: readonly string[] | undefined,
  row: SourceRow | undefined,
  index: number,
): RowLocation {
  const named = namingProperties(meta, by).filter((name) => row?.[name] !== undefined);
  return { entity: meta.className, index, key: Object.fromEntries(named.map((name) => [name, row?.[name]])) };
}
