import type { EntityClass } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { BatchRunner, NOTHING, type WriteRows } from './batch-runner.js';
import type { BulkInsertResult, BulkOptions, BulkRow, RowSource } from './bulk.options.js';
import { concreteLayoutOf } from './entity-layout.js';
import { insertAndAnnounce } from './row-inserter.js';
import { RowReader } from './row-reader.js';

/**
 * Inserts many rows of one class, into all of its tables, and announces them like a flush does. What is stored is what a
 * flush would store: keys, initial values, `onCreate`, the first version and custom types included; constructors run
 * only where they take parameters. Entities that are already loaded are not touched, and no entity events fire.
 *
 * A batch is a transaction, or a savepoint inside the caller's; an array is one batch.
 *
 * @returns counts, when everything is committed, or, inside a transaction, written
 * @throws {BulkRowError} for the first row that cannot be written, unless `onRejected` is given
 * @throws {BulkUnsupportedError} before any SQL, when the class is abstract or maps what a bulk write cannot express
 * @throws {NoTenantInContextError} before any SQL, when rows of the class belong to tenants and the context names none
 *
 * @example
 * await bulkInsert(em, Book, [{ sku: 'b-1', name: 'Dune', price: new Money(999, 'EUR'), isbn: '978-0441013593' }]);
 */
export async function bulkInsert<Entity extends object>(
  em: SqlEntityManager,
  entity: EntityClass<Entity>,
  rows: RowSource<BulkRow<Entity>>,
  options: BulkOptions = {},
): Promise<BulkInsertResult> {
  const layout = concreteLayoutOf(em, em.getMetadata().get(entity));
  const reader = new RowReader(layout, em);
  const write: WriteRows = async (tx, batch) => {
    const { set, faults } = reader.complete(reader.read(batch.rows, batch.firstIndex));
    await insertAndAnnounce(tx, layout, set);
    return { ...NOTHING, inserted: set.rows.length, faults };
  };
  const runner = new BatchRunner(em, layout, options, write, { kind: 'insert' });
  const { inserted, rejected } = await runner.run(rows);
  return { inserted, rejected };
}
