import type { DatabaseSchema, DatabaseTable, SchemaDifference, SchemaHelper, TableDifference } from '@mikro-orm/sql';

/** The one method of MikroORM's helper that subclasses alone may call. */
export type Quoting = Pick<SchemaHelper, 'createTable'> & { quote(name: string): string };

/** The tables that SQLite can only change by making them anew. */
export function tablesToRebuild({ changedTables, orphanedForeignKeys }: SchemaDifference): TableDifference[] {
  // Keys to a table that goes are listed by themselves, not with the table that has them.
  const orphaned = new Set(orphanedForeignKeys.map(({ localTableName }) => unqualified(localTableName)));
  return Object.values(changedTables).filter((it) => orphaned.has(it.toTable.name) || needsRebuild(it));
}

function needsRebuild(it: TableDifference): boolean {
  const parts = [
    ...[it.changedColumns, it.addedChecks, it.changedChecks, it.removedChecks],
    ...[it.addedForeignKeys, it.changedForeignKeys, it.removedForeignKeys],
  ];
  const addedWithoutValue = Object.values(it.addedColumns).some(
    ({ nullable, default: value }) => !nullable && value == null,
  );
  return addedWithoutValue || parts.some((part) => Object.keys(part).length > 0);
}

/**
 * Statements that make tables anew with their rows. Migrations run in a transaction, where SQLite cannot be told to look
 * away from foreign keys, and to drop a table is to delete its rows: what refers to them is set aside first, or it would go
 * with them.
 *
 * @param schema  what the database holds before
 */
export function rebuildTables(
  helper: Quoting,
  schema: DatabaseSchema,
  differences: readonly TableDifference[],
): string[] {
  if (differences.length === 0) return [];
  const rebuilt = new Map(differences.map((it) => [it.toTable.name, it]));
  const tables = withReferrers(schema, [...rebuilt.keys()]);
  const names = tables.map(({ name }) => name);
  const kept = (name: string) => helper.quote(`kept_${name}`);
  return [
    ...names.map((name) => `create temp table ${kept(name)} as select * from ${helper.quote(name)}`),
    ...tables.flatMap((table) => cutReferences(helper, table)),
    ...names.toReversed().map((name) => `${rebuilt.has(name) ? 'drop table' : 'delete from'} ${helper.quote(name)}`),
    ...names.flatMap((name) => {
      const difference = rebuilt.get(name);
      if (!difference) return [`insert into ${helper.quote(name)} select * from ${kept(name)}`];
      return [...helper.createTable(difference.toTable), copyColumns(helper, difference, kept(name))];
    }),
    ...names.map((name) => `drop table ${kept(name)}`),
  ].map((sql) => sql.replace(/;$/, ''));
}

function copyColumns(helper: Quoting, { fromTable, toTable, renamedColumns }: TableDifference, from: string): string {
  const renamed = new Map(Object.entries(renamedColumns).map(([old, { name }]) => [name, old]));
  const columns = toTable.getColumns().flatMap(({ name }) => {
    const source = renamed.get(name) ?? name;
    return fromTable.getColumn(source) ? [[helper.quote(name), helper.quote(source)]] : [];
  });
  const [to, source] = [columns.map(([name]) => name), columns.map(([, name]) => name)];
  return `insert into ${helper.quote(toTable.name)} (${to.join(', ')}) select ${source.join(', ')} from ${from}`;
}

/** Rows of a table that refer to each other could not be deleted together. */
function cutReferences(helper: Quoting, table: DatabaseTable): string[] {
  const columns = Object.values(table.getForeignKeys())
    .filter((key) => unqualified(key.referencedTableName) === table.name)
    .flatMap((key) => key.columnNames.filter((name) => table.getColumn(name)?.nullable));
  if (columns.length === 0) return [];
  return [`update ${helper.quote(table.name)} set ${columns.map((name) => `${helper.quote(name)} = null`).join(', ')}`];
}

/** `names` and every table that refers to one of them, or to one that does; each after what it refers to. */
function withReferrers(schema: DatabaseSchema, names: readonly string[]): DatabaseTable[] {
  const tables = schema.getTables();
  const found = new Set(names);
  for (let before = -1; before < found.size; ) {
    before = found.size;
    for (const table of tables) if (targetsOf(table).some((target) => found.has(target))) found.add(table.name);
  }
  return inOrder(tables.filter(({ name }) => found.has(name)));
}

/** Each table after those it refers to. */
export function inOrder(tables: readonly DatabaseTable[]): DatabaseTable[] {
  const byName = new Map(tables.map((table) => [table.name, table]));
  const ordered = new Set<DatabaseTable>();
  const visiting = new Set<DatabaseTable>();
  const visit = (table: DatabaseTable) => {
    if (visiting.has(table)) return;
    visiting.add(table);
    for (const target of targetsOf(table)) {
      const other = byName.get(target);
      if (other) visit(other);
    }
    ordered.add(table);
  };
  for (const table of tables) visit(table);
  return [...ordered];
}

function targetsOf(table: DatabaseTable): string[] {
  return Object.values(table.getForeignKeys())
    .map(({ referencedTableName }) => unqualified(referencedTableName))
    .filter((name) => name !== table.name);
}

const unqualified = (table: string) => table.slice(table.lastIndexOf('.') + 1);
