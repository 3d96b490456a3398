import { type EntityMetadata, type EntityProperty, type MetadataStorage, ReferenceKind } from '@mikro-orm/core';
import { tenantColumnOf } from '../guard/sql/catalogue.js';
import { isTenantScoped, isToOne } from '../guard/tenant-scope.js';

/** A table whose rows belong to tenants, as far as deleting and copying a tenant's rows needs to know it. */
export interface OwnedTable {
  readonly name: string;
  /** Of the class whose own table it is; of the root, where classes share one. */
  readonly meta: EntityMetadata;
  readonly tenantColumn: string;
  /** Tables its rows refer to. */
  readonly refersTo: Set<string>;
  /** Columns by which rows refer to rows of the same table. */
  readonly loops: Set<string>;
}

/** Those of a database, tables whose rows refer to others before the others. Pivots and tables of children are among them. */
export function ownedTables(metadata: MetadataStorage): readonly OwnedTable[] {
  const tables = new Map<string, OwnedTable>();
  for (const meta of metadata.getAll().values()) {
    const tenantColumn = isTenantScoped(meta) ? tenantColumnOf(meta) : undefined;
    if (!meta.tableName || !tenantColumn) continue;
    const name = meta.tableName;
    const own = meta.root.tableName === name ? meta.root : meta;
    const table = tables.get(name) ?? { name, meta: own, tenantColumn, refersTo: new Set(), loops: new Set() };
    tables.set(name, table);
    // The rows of a class-table child lie behind those of its parent.
    if (meta.root.inheritanceType === 'tpt' && meta.root !== meta) table.refersTo.add(meta.root.tableName);
    // Not `relations`: pivots that MikroORM makes by itself list none there.
    for (const property of meta.props as EntityProperty[]) noteRelation(table, property);
  }
  return inOrderOfDeletion([...tables.values()]);
}

function noteRelation(table: OwnedTable, property: EntityProperty): void {
  const target: EntityMetadata | undefined = property.targetMeta;
  // Relations of a pivot name the other side, and own their columns all the same.
  const isOwner = property.kind === ReferenceKind.MANY_TO_ONE || (isToOne(property) && !property.mappedBy);
  if (!isOwner || !target) return;
  if (target.tableName !== table.name) table.refersTo.add(target.tableName);
  else if (property.nullable) for (const column of property.ownColumns ?? []) table.loops.add(column);
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
