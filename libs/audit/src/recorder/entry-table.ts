import type { EntityMetadata, EntityProperty, Platform, Transaction } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import type { Kysely } from 'kysely';
import { AuditEntry } from '../entities/audit-entry.entity.js';
import type { NewEntry } from './new-entry.js';

/** With the columns of an entry this stays below what any engine takes as bound values of a statement (SQLite: 32,766). */
const ROWS_PER_STATEMENT = 1500;
/** And this below what a server takes as one packet (MariaDB: 16 MB). */
const CHARACTERS_PER_STATEMENT = 4_000_000;

/**
 * Writes entries on a transaction: one statement, or several when there are very many. Values are bound, not written into
 * the SQL: an update of a long text holds it twice, and SQLite takes a megabyte of SQL and no more.
 */
export async function insertEntries(
  entityManager: SqlEntityManager,
  transaction: Transaction,
  entries: readonly NewEntry[],
): Promise<void> {
  const meta = entityManager.getMetadata().get(AuditEntry);
  const platform = entityManager.getPlatform();
  const { schema } = entityManager;
  const kysely = transaction as Kysely<Record<string, Record<string, unknown>>>;
  const database = schema ? kysely.withSchema(schema) : kysely;
  for (const rows of inStatements(entries)) {
    const values = rows.map((row) => toColumns(row, meta, platform));
    await database.insertInto(meta.tableName).values(values).execute();
  }
}

function toColumns(entry: NewEntry, meta: EntityMetadata, platform: Platform): Record<string, unknown> {
  const columns: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(entry)) {
    const [column = name] = (meta.properties[name] as EntityProperty).fieldNames;
    columns[column] = value instanceof Date ? platform.processDateProperty(value) : value;
  }
  return columns;
}

function* inStatements(entries: readonly NewEntry[]): Iterable<NewEntry[]> {
  let rows: NewEntry[] = [];
  let characters = 0;
  for (const entry of entries) {
    if (rows.length === ROWS_PER_STATEMENT || characters > CHARACTERS_PER_STATEMENT) {
      yield rows;
      [rows, characters] = [[], 0];
    }
    rows.push(entry);
    characters += entry.changes.length;
  }
  if (rows.length > 0) yield rows;
}
