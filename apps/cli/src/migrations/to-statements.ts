import type { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, DatabaseTable, SchemaDifference } from '@mikro-orm/sql';
import { engineOf } from '#libs/persistence';
import { inOrder, type Quoting, rebuildTables, tablesToRebuild } from './sqlite-rebuild.js';

/** The statements that make a difference come true, in the order in which they run. */
export function toStatements(orm: MikroORM<AbstractSqlDriver>, difference: SchemaDifference): string[] {
  const { removedTables } = difference;
  // Each before those it refers to.
  const dropped = inOrder(Object.values(removedTables)).toReversed();
  if (engineOf(orm.em).name !== 'sqlite') return render(orm, { ...difference, removedTables: byName(dropped) });
  const { changedTables } = difference;
  const rebuilt = tablesToRebuild(difference);
  const altered = Object.fromEntries(Object.entries(changedTables).filter(([, it]) => !rebuilt.includes(it)));
  return [
    ...render(orm, { ...difference, changedTables: altered, removedTables: {} }),
    ...rebuildTables(orm.driver.getPlatform().getSchemaHelper() as unknown as Quoting, difference.fromSchema, rebuilt),
    ...render(orm, { ...nothing(difference), removedTables: byName(dropped) }),
  ];
}

const byName = (tables: readonly DatabaseTable[]) => Object.fromEntries(tables.map((table) => [table.name, table]));

function nothing({ fromSchema }: SchemaDifference): SchemaDifference {
  return {
    ...{ newTables: {}, changedTables: {}, removedTables: {} },
    ...{ newViews: {}, changedViews: {}, removedViews: {} },
    ...{ newRoutines: {}, changedRoutines: {}, removedRoutines: {} },
    ...{ newNativeEnums: [], removedNativeEnums: [], orphanedForeignKeys: [] },
    ...{ newNamespaces: new Set<string>(), removedNamespaces: new Set<string>() },
    fromSchema,
  };
}

function render({ schema }: MikroORM<AbstractSqlDriver>, difference: SchemaDifference): string[] {
  const sql = schema.diffToSQL(difference, { wrap: false, dropTables: true, safe: false });
  const statements: string[] = [];
  let open = '';
  for (const chunk of sql.split(/;\n/)) {
    open += (open ? ';\n' : '') + chunk;
    // An odd number of quotes: the text between two of them goes on.
    if (open.split("'").length % 2 === 0) continue;
    if (open.trim()) statements.push(open.trim());
    open = '';
  }
  return statements;
}
