import type { EntityClass, Transaction } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { CompiledQuery, type Kysely } from 'kysely';
import type { BulkColumn, SharedValue } from '../engines/bulk-dialect.js';
import { BulkWriteLostError } from '../errors/bulk-write-lost.error.js';
import { runAnnounced } from '../events/announced-write.js';
import { layoutOf } from './entity-layout.js';
import { storedOrNull } from './mapped-column.js';
import { tableOf } from './table-sql.js';

/** Rows by column. Every property of the class that may not be null and has no default in the table is in one of the two. */
export interface AppendedRows<Entity> {
  readonly count: number;
  /** Values by property, one for each row. */
  readonly own: Readonly<Partial<Record<keyof Entity & string, readonly unknown[]>>>;
  /** Values by property that are the same for all rows. What is null is left to the table. */
  readonly shared: Readonly<Partial<Record<keyof Entity & string, unknown>>>;
}

/**
 * Inserts rows of a class with one table on a transaction, and does nothing else: no savepoint, no initial values, no
 * changes announced, nothing read back. For tables that the kit itself appends to in reply to changes, such as the audit
 * trail; application rows go through `bulkInsert`. One statement for as many rows as the engine takes.
 *
 * @throws {BulkWriteLostError} when fewer rows were written than given
 * @throws {DriverException} as MikroORM would
 */
export async function appendRows<Entity extends object>(
  { entityManager, transaction }: { readonly entityManager: SqlEntityManager; readonly transaction: Transaction },
  entity: EntityClass<Entity>,
  { count, own, shared }: AppendedRows<Entity>,
): Promise<void> {
  const meta = entityManager.getMetadata().get(entity);
  const { columns, dialect } = layoutOf(entityManager, meta);
  const written: BulkColumn[] = [];
  const values: (readonly unknown[])[] = [];
  const common: SharedValue[] = [];
  for (const column of columns) {
    const name = column.property as keyof Entity & string;
    const each = own[name];
    if (each) {
      written.push(column);
      values.push(each.map((value) => storedOrNull(value, column.type)));
    } else {
      const value = storedOrNull(shared[name], column.type);
      if (value !== null) common.push({ column, value });
    }
  }
  const table = tableOf(entityManager, meta);
  for (const { sql, parameters, affects } of dialect.insert({ table, columns: written, values, count }, common)) {
    const query = CompiledQuery.raw(sql, [...parameters]);
    const sent = runAnnounced('append', () => (transaction as Kysely<unknown>).executeQuery(query));
    const result = await sent.catch((error: Error) => {
      throw entityManager.getDriver().convertException(error);
    });
    const affected = Number(result.numAffectedRows ?? 0);
    if (affected !== affects) throw new BulkWriteLostError(table, affects, affected);
  }
}
