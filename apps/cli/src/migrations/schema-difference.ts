import type { MikroORM } from '@mikro-orm/core';
import {
  type AbstractSqlDriver,
  DatabaseSchema,
  type DatabaseTable,
  type ForeignKey,
  SchemaComparator,
  type SchemaDifference,
  type TableDifference,
} from '@mikro-orm/sql';
import { type EngineName, engineOf } from '#libs/persistence';
import { readForeignKeysWhole } from '../reflect/sqlite-foreign-keys.js';

type Orm = MikroORM<AbstractSqlDriver>;

/** What a database holds, as its own catalogue says it; the ledger of migrations left out. */
export async function readSchema({ driver, em, config, schema }: Orm): Promise<DatabaseSchema> {
  const { name: engine } = engineOf(em);
  if (engine === 'sqlite') readForeignKeysWhole(driver);
  const namespaces = schema.getTargetSchema().getNamespaces();
  const read = await DatabaseSchema.create(driver.getConnection(), driver.getPlatform(), config, undefined, namespaces);
  for (const table of read.getTables()) corrections[engine]?.(table);
  return read;
}

/** What MikroORM 7.2.1 reads amiss, and would write amiss into the way back. */
const corrections: Readonly<Partial<Record<EngineName, (table: DatabaseTable) => void>>> = {
  // Each column of a composite key is taken for the key as well: that would be a table of three keys.
  sqlite(table) {
    if (table.getPrimaryKey()?.composite) for (const column of table.getColumns()) column.primary = false;
  },
  // A MariaDB server says NULL where MySQL says nothing, and the mysql driver takes it for a text.
  mysql(table) {
    for (const column of table.getColumns()) if (column.nullable && column.default === "'NULL'") delete column.default;
  },
};

/** What must change in `from` for it to be `to`. */
export function compareSchemas(
  { driver }: Orm,
  from: DatabaseSchema,
  to: DatabaseSchema,
  inverse?: SchemaDifference,
): SchemaDifference {
  return new SchemaComparator(driver.getPlatform()).compare(from, to, inverse);
}

/** Parts of a difference that are kept by name. */
const PARTS = [
  'newTables',
  'removedTables',
  'changedTables',
  'newViews',
  'changedViews',
  'removedViews',
  'newRoutines',
  'changedRoutines',
  'removedRoutines',
] as const;

/** Parts of what differs in one table that are kept by name. */
const TABLE_PARTS = [
  ...(['addedColumns', 'changedColumns', 'removedColumns', 'renamedColumns'] as const),
  ...(['addedIndexes', 'changedIndexes', 'removedIndexes', 'renamedIndexes'] as const),
  ...(['addedChecks', 'changedChecks', 'removedChecks'] as const),
  ...(['addedTriggers', 'changedTriggers', 'removedTriggers'] as const),
  ...(['addedForeignKeys', 'changedForeignKeys', 'removedForeignKeys'] as const),
  ...(['addedPolicies', 'removedPolicies'] as const),
] as const;

const TABLE_FLAGS = ['changedComment', 'changedPartitioning', 'changedRlsEnabled', 'changedRlsForced'] as const;

/**
 * What of `found` is also in `real`. A database compared with entities differs from them in ways that are none: an engine
 * says types, defaults and keys back in its own words. Two databases that were read alike have no such differences, but
 * what was read back is no good text to make tables from. So: which things differ, from two databases; how they are
 * written, from the entities.
 */
export function keepReal(found: SchemaDifference, real: SchemaDifference): SchemaDifference {
  for (const part of PARTS) keepNamed(found[part], real[part]);
  for (const [name, difference] of Object.entries(found.changedTables)) {
    const there = real.changedTables[name] as TableDifference;
    for (const part of TABLE_PARTS) keepNamed(difference[part], there[part]);
    for (const flag of TABLE_FLAGS) if (there[flag] === undefined) delete difference[flag];
  }
  const isReal = new Set(real.orphanedForeignKeys.map(nameOf));
  found.orphanedForeignKeys = found.orphanedForeignKeys.filter((key) => isReal.has(nameOf(key)));
  return found;
}

const nameOf = ({ localTableName, constraintName }: ForeignKey) => `${localTableName} ${constraintName}`;

function keepNamed(found: Record<string, unknown>, real: Record<string, unknown>): void {
  for (const name of Object.keys(found)) if (!Object.hasOwn(real, name)) delete found[name];
}

/** What differs, a line each, such as `product: addedColumns colour`; empty when nothing does. */
export function describeDifference(difference: SchemaDifference): string[] {
  const whole = PARTS.filter((part) => part !== 'changedTables').flatMap((part) =>
    Object.keys(difference[part]).map((name) => `${part} ${name}`),
  );
  const tables = Object.entries(difference.changedTables).flatMap(([table, it]) => [
    ...TABLE_PARTS.flatMap((part) => Object.keys(it[part]).map((name) => `${table}: ${part} ${name}`)),
    ...TABLE_FLAGS.filter((flag) => it[flag] !== undefined).map((flag) => `${table}: ${flag}`),
  ]);
  return [...whole, ...tables];
}

/** What a person must think about before rows meet these statements. */
export function cautionsOf({ removedTables, changedTables }: SchemaDifference): string[] {
  const tables = Object.values(removedTables).map(({ name }) => `${name} is dropped with its rows`);
  const columns = Object.values(changedTables).flatMap(({ toTable: { name: table }, ...it }) => [
    ...Object.keys(it.removedColumns).map((name) => `${table}.${name} is dropped with its values`),
    ...Object.entries(it.renamedColumns).map(
      ([from, { name }]) => `${table}.${from} is taken to be renamed to ${name}`,
    ),
    ...Object.values(it.addedColumns)
      .filter(({ nullable, generated, default: value }) => !nullable && !generated && value == null)
      .map(({ name }) => `${table}.${name} must not be null: say what it is in rows that exist`),
    ...Object.values(it.changedColumns)
      .filter(({ fromColumn, column }) => fromColumn.nullable && !column.nullable)
      .map(({ column }) => `${table}.${column.name} must not be null any more: say what it becomes where it is`),
  ]);
  return [...tables, ...columns];
}
