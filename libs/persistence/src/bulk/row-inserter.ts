import type { SqlEntityManager } from '@mikro-orm/sql';
import { BulkUnsupportedError } from '../errors/bulk-unsupported.error.js';
import { announceChanges, areChangesWanted } from '../events/announce-changes.js';
import { creations } from './changes.js';
import type { EntityLayout } from './entity-layout.js';
import { readExisting } from './existing-rows.js';
import type { RowSet } from './row-set.js';
import { insertRows } from './table-writer.js';

/** Inserts complete rows and announces them. */
export async function insertAndAnnounce(em: SqlEntityManager, layout: EntityLayout, set: RowSet): Promise<void> {
  if (set.rows.length === 0) return;
  const isWanted = areChangesWanted(em, layout.meta.class);
  if (isWanted || layout.tables.length > 1) assertKeys(layout, set);
  await insertRows(em, layout, set);
  if (!isWanted) return;
  const values = hasTableDefaults(layout, set) ? await readBack(em, layout, set) : set.values;
  await announceChanges(em, creations(layout, values, set.rows.length));
}

function hasTableDefaults({ columns }: EntityLayout, { values }: RowSet): boolean {
  return columns.some(({ hasTableDefault }, c) => hasTableDefault && values[c]?.includes(undefined));
}

/** What the tables filled in is known to them alone. */
async function readBack(em: SqlEntityManager, layout: EntityLayout, { values }: RowSet) {
  const keys = layout.keys.map((key) => values[key] ?? []);
  return (await readExisting(em, layout, layout.keys, keys)).values;
}

/** A key that the database makes would have to be found again for the second table and for the change. */
function assertKeys({ keys, meta }: EntityLayout, { values }: RowSet): void {
  if (!keys.some((key) => values[key]?.includes(undefined))) return;
  const because = 'the database makes its keys, and they are needed here';
  throw new BulkUnsupportedError(meta.className, because, 'Give every row its key, or flush such entities.');
}
