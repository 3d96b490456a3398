import type { EntityMetadata, EntityProperty, MetadataStorage } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { tenantColumnOf } from '../guard/sql/catalogue.js';
import { isTenantScoped, isToOne } from '../guard/tenant-scope.js';

/** A table of tenants, as far as deleting a tenant's rows needs to know it. */
interface OwnedTable {
  readonly name: string;
  readonly tenantColumn: string;
  /** Tables its rows refer to. */
  readonly refersTo: Set<string>;
  /** Columns by which rows refer to rows of the same table. */
  readonly loops: Set<string>;
}

/**
 * Deletes every row of a tenant from tables that it shares with others, in one transaction, those that refer to others
 * first. Call it in a system frame.
 */
export async function deleteRows(em: SqlEntityManager, tenantId: string): Promise<void> {
  const quote = (name: string) => em.getPlatform().quoteIdentifier(name);
  const tables = inOrderOfDeletion(ownedTables(em.getMetadata()));
  await em.getConnection().transactional(async (transaction) => {
    const send = (sql: string) => em.getDriver().execute(sql, [tenantId], 'run', transaction);
    for (const { name, tenantColumn, loops } of tables) {
      const own = `where ${quote(tenantColumn)} = ?`;
      // Engines check such references row by row, also when all rows go at once.
      for (const column of loops) await send(`update ${quote(name)} set ${quote(column)} = null ${own}`);
      await send(`delete from ${quote(name)} ${own}`);
    }
  });
}

function ownedTables(metadata: MetadataStorage): OwnedTable[] {
  const tables = new Map<string, OwnedTable>();
  for (const meta of metadata.getAll().values()) {
    const tenantColumn = isTenantScoped(meta) ? tenantColumnOf(meta) : undefined;
    if (!meta.tableName || !tenantColumn) continue;
    const name = meta.tableName;
    const table = tables.get(name) ?? { name, tenantColumn, refersTo: new Set(), loops: new Set() };
    tables.set(name, table);
    // The rows of a class-table child lie behind those of its parent.
    if (meta.root.inheritanceType === 'tpt' && meta.root !== meta) table.refersTo.add(meta.root.tableName);
    for (const property of meta.relations as EntityProperty[]) noteRelation(table, property);
  }
  return [...tables.values()];
}

function noteRelation(table: OwnedTable, property: EntityProperty): void {
  const target: EntityMetadata | undefined = property.targetMeta;
  const isOwner = isToOne(property) && !property.mappedBy;
  if (!isOwner || !target) return;
  if (target.tableName !== table.name) table.refersTo.add(target.tableName);
  else if (property.nullable) for (const column of property.ownColumns) table.loops.add(column);
}

function inOrderOfDeletion(tables: readonly OwnedTable[]): OwnedTable[] {
  const left = new Set(tables);
  const ordered: OwnedTable[] = [];
  while (left.size > 0) {
    const isFree = ({ name }: OwnedTable) => ![...left].some((it) => it.name !== name && it.refersTo.has(name));
    // Tables that refer to each other: the database has the last word.
    const next = [...left].find(isFree) ?? ([...left][0] as OwnedTable);
    left.delete(next);
    ordered.push(next);
  }
  return ordered;
}
