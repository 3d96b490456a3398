import type { EntityClass } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { announceChanges } from '../events/announce-changes.js';
import { BatchRunner, NOTHING, type WriteRows } from './batch-runner.js';
import type { BulkDeleteResult, BulkOptions, BulkSelection } from './bulk.options.js';
import { deletions } from './changes.js';
import type { RowsOfClass } from './concrete-classes.js';
import { isDeletionWanted, withConsequences } from './deletion-record.js';
import { layoutOf } from './entity-layout.js';
import { readExisting } from './existing-rows.js';
import { RowReader } from './row-reader.js';
import { RowSelector } from './row-selector.js';
import { deleteRows } from './table-writer.js';

/**
 * Deletes many rows from all tables of their classes: a base class stands for every class below it. Each row is announced
 * with its last state, together with what the database deletes or unlinks by its foreign keys. A key that no row has is
 * no error.
 *
 * Rows chosen by a condition are deleted in batches, each in a transaction of its own unless the caller has one; a row
 * must still meet the condition when it is locked.
 *
 * @param selection `{ keys }` or `{ where }`; an empty condition takes every row (of the tenant)
 * @throws {BulkRowError} for a row that something refers to, unless `onRejected` is given
 *
 * @example
 * await bulkDelete(em, Product, { where: { stock: 0 } });
 */
export async function bulkDelete<Entity extends object>(
  em: SqlEntityManager,
  entity: EntityClass<Entity>,
  selection: BulkSelection<Entity>,
  options: BulkOptions = {},
): Promise<BulkDeleteResult> {
  const layout = layoutOf(em, em.getMetadata().get(entity));
  const selector = new RowSelector(layout, new RowReader(layout, em), selection as BulkSelection<object>);
  const write: WriteRows = async (tx, batch) => {
    const { groups, faults } = await selector.select(tx, batch);
    let deleted = 0;
    for (const group of groups) deleted += await deleteOfClass(tx, group);
    return { ...NOTHING, updated: deleted, faults };
  };
  const by = layout.meta.primaryKeys.map(String);
  const request = { kind: 'delete', ...('where' in selection && { where: selection.where as object }) } as const;
  const runner = new BatchRunner(em, layout, { ...options, by }, write, request);
  const { updated } = await runner.run(selector.source(em, options));
  return { deleted: updated };
}

async function deleteOfClass(em: SqlEntityManager, { meta, keys }: RowsOfClass): Promise<number> {
  const layout = layoutOf(em, meta);
  if (!isDeletionWanted(em, meta)) return deleteRows(em, layout, keys);
  const existing = await readExisting(em, layout, layout.keys, keys);
  const own = existing.values;
  const changes = await withConsequences(em, [...deletions(layout, own, existing.count)]);
  const deleted = await deleteRows(
    em,
    layout,
    layout.keys.map((key) => own[key] ?? []),
  );
  await announceChanges(em, changes);
  return deleted;
}
