import type { EntityMetadata, EntityProperty, Transaction } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { CompiledQuery, type Kysely } from 'kysely';
import { AuditEntry } from '../entities/audit-entry.entity.js';
import { nextEntryId } from '../entry-id.js';
import { InsertText } from './insert-text.js';
import type { Circumstances, Happening } from './new-entry.js';

/** With the columns of an entry this stays below what any engine takes as bound values of a statement (SQLite: 32,766). */
const ROWS_PER_STATEMENT = 1500;
/** And this below what a server takes as one packet (MariaDB: 16 MB). */
const CHARACTERS_PER_STATEMENT = 4_000_000;

/** Columns that differ from row to row, in the order in which `insertEntries` binds them. */
const OWN = ['id', 'occurredAt', 'tenantId', 'action', 'entityName', 'entityId', 'changes'] as const;

type Database = Kysely<Record<string, Record<string, unknown>>>;

/** Texts by mapping and schema: a database of many schemas has one for each that is in use. */
const texts = new WeakMap<EntityMetadata, Map<string, InsertText>>();

/**
 * Writes entries on a transaction: one statement, or several when there are very many. Values are bound, not written into
 * the SQL: an update of a long text holds it twice, and SQLite takes a megabyte of SQL and no more.
 */
export async function insertEntries(
  entityManager: SqlEntityManager,
  transaction: Transaction,
  happenings: readonly Happening[],
  circumstances: Circumstances,
): Promise<void> {
  if (happenings.length === 0) return;
  const database = transaction as Database;
  const platform = entityManager.getPlatform();
  const text = textOf(database, entityManager, [...OWN, ...Object.keys(circumstances)]);
  const shared = Object.values(circumstances);
  let values: unknown[] = [];
  let [rows, characters] = [0, 0];
  for (const [index, { tenantId, action, entityName, entityId, changes }] of happenings.entries()) {
    const { id, occurredAt } = nextEntryId();
    values.push(
      id,
      platform.processDateProperty(occurredAt),
      tenantId,
      action,
      entityName,
      entityId,
      changes,
      ...shared,
    );
    rows++;
    characters += changes.length;
    const isLast = index === happenings.length - 1;
    if (!isLast && rows < ROWS_PER_STATEMENT && characters < CHARACTERS_PER_STATEMENT) continue;
    await database.executeQuery(CompiledQuery.raw(text.forRows(rows), values));
    [values, rows, characters] = [[], 0, 0];
  }
}

function textOf(database: Database, entityManager: SqlEntityManager, names: readonly string[]): InsertText {
  const meta = entityManager.getMetadata().get(AuditEntry) as EntityMetadata;
  const { schema } = entityManager;
  const bySchema = texts.get(meta) ?? new Map<string, InsertText>();
  texts.set(meta, bySchema);
  const known = bySchema.get(schema ?? '');
  if (known) return known;
  const columns = names.map((name) => (meta.properties[name] as EntityProperty).fieldNames[0] as string);
  const row = Object.fromEntries(columns.map((column) => [column, null]));
  const target = schema ? database.withSchema(schema) : database;
  const text = new InsertText(target.insertInto(meta.tableName).values(row).compile().sql);
  bySchema.set(schema ?? '', text);
  return text;
}
