import type { EntityClass } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { BatchRunner } from './batch-runner.js';
import type { BulkRow, BulkUpsertOptions, BulkUpsertResult, RowSource } from './bulk.options.js';
import { concreteLayoutOf } from './entity-layout.js';
import { RowMerger } from './row-merger.js';
import { RowReader } from './row-reader.js';

/**
 * Inserts rows that do not exist yet and updates those that do, told apart by a unique key. Reads and locks the existing
 * rows of a batch first, so that a row which already is as given is not written, and changes are announced with their
 * exact old values. On a row that exists, only what the given row mentions can change; a version it mentions must be
 * that of the existing row.
 *
 * Rows with the same key are applied in their order, within a batch as across batches. Transactions, initial values and
 * what is left alone are as with `bulkInsert`.
 *
 * @returns counts of rows, when everything is committed, or, inside a transaction, written
 * @throws {BulkKeyError} before any SQL, when `by` names no unique key
 * @throws {BulkRowError} for the first row that cannot be written, unless `onRejected` is given: `RowClassMismatchError`
 *   when the existing row is of another class
 * @throws {BulkUnsupportedError} as `bulkInsert`
 *
 * @example
 * await bulkUpsert(em, Book, linesOf(file), { by: ['sku'], onRejected: (line, error) => report(line, error.code) });
 */
export async function bulkUpsert<Entity extends object>(
  em: SqlEntityManager,
  entity: EntityClass<Entity>,
  rows: RowSource<BulkRow<Entity>>,
  options: BulkUpsertOptions<Entity>,
): Promise<BulkUpsertResult> {
  const layout = concreteLayoutOf(em, em.getMetadata().get(entity));
  const reader = new RowReader(layout, em, options.by);
  const merger = new RowMerger(layout, reader, { by: options.by, missing: 'insert' });
  const runner = new BatchRunner(em, layout, options, (tx, batch) => merger.merge(tx, batch), { kind: 'upsert' });
  return runner.run(rows);
}
