import type { EntityClass } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { BatchRunner, NOTHING, type WriteRows } from './batch-runner.js';
import type {
  BulkChanges,
  BulkOptions,
  BulkRow,
  BulkSelection,
  BulkUpdateOptions,
  BulkUpdateResult,
  RowSource,
} from './bulk.options.js';
import { concreteLayoutOf, layoutOf } from './entity-layout.js';
import { RowMerger } from './row-merger.js';
import { RowReader } from './row-reader.js';
import { RowSelector } from './row-selector.js';
import { UniformUpdate } from './uniform-update.js';

/** Rows that are chosen, and what they shall hold. */
export type BulkAssignment<Entity> = BulkSelection<Entity> & { readonly set: BulkChanges<Entity> };

/**
 * Updates many rows in all tables of their classes. Either rows of one class, each with its key and its own values, like
 * `bulkUpsert` for rows that must exist. Or the same changes for chosen rows, `{ where, set }` or `{ keys, set }`: a base
 * class stands for every class below it, a row must still meet the condition when it is locked, and `set` may hold SQL
 * expressions.
 *
 * `onUpdate` values and versions are set as in a flush; rows that already are as asked for are not written. Changes are
 * announced with exact old and new values, of expressions their results. Transactions are as with `bulkInsert`.
 *
 * @throws {BulkRowError} for the first row that cannot be written, unless `onRejected` is given; `RowMissingError` when a
 *   row does not exist
 * @throws {BulkUnsupportedError} before any SQL, when `set` names a key or the version
 *
 * @example
 * await bulkUpdate(em, Product, { where: { stock: { $gt: 0 } }, set: { stock: raw('stock - 1') } });
 */
export async function bulkUpdate<Entity extends object>(
  em: SqlEntityManager,
  entity: EntityClass<Entity>,
  changes: RowSource<BulkRow<Entity>> | BulkAssignment<Entity>,
  options: BulkUpdateOptions<Entity> = {},
): Promise<BulkUpdateResult> {
  if ('set' in changes) return updateChosen(em, entity, changes, options);
  const meta = em.getMetadata().get(entity);
  const layout = concreteLayoutOf(em, meta);
  const by = options.by ?? meta.primaryKeys.map(String).filter((name) => name !== 'tenantId');
  const merger = new RowMerger(layout, new RowReader(layout, em, by), { by, missing: 'reject' });
  const write: WriteRows = (tx, batch) => merger.merge(tx, batch);
  const runner = new BatchRunner(em, layout, { ...options, by }, write, { kind: 'update' });
  const { inserted: _, ...result } = await runner.run(changes);
  return result;
}

async function updateChosen<Entity extends object>(
  em: SqlEntityManager,
  entity: EntityClass<Entity>,
  { set, ...selection }: BulkAssignment<Entity>,
  options: BulkOptions,
): Promise<BulkUpdateResult> {
  const layout = layoutOf(em, em.getMetadata().get(entity));
  const reader = new RowReader(layout, em);
  const selector = new RowSelector(layout, reader, selection as BulkSelection<object>);
  const update = new UniformUpdate(em, layout, set as Readonly<Record<string, unknown>>);
  const write: WriteRows = async (tx, batch) => {
    const { groups, faults } = await selector.select(tx, batch);
    let [updated, unchanged] = [0, 0];
    for (const group of groups) {
      const counts = await update.apply(tx, group);
      updated += counts.updated;
      unchanged += counts.unchanged;
    }
    return { ...NOTHING, updated, unchanged, faults };
  };
  const by = layout.meta.primaryKeys.map(String);
  const request = { kind: 'update', set, ...('where' in selection && { where: selection.where as object }) } as const;
  const runner = new BatchRunner(em, layout, { ...options, by }, write, request);
  const { inserted: _, ...result } = await runner.run(selector.source(em, options));
  return result;
}
