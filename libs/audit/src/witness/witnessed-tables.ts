import type { EntityMetadata, MetadataStorage } from '@mikro-orm/core';
import { AuditPolicy } from '../policy/audit-policy.js';

/** A table whose writes ought to leave entries, and what a trigger has to know of it. */
export interface WitnessedTable {
  readonly name: string;
  readonly tenantColumn: string;
  /** Holds the id that entries name. */
  readonly idColumn: string;
  /** Names that entries of its rows may have: the classes of the hierarchy. */
  readonly entityNames: readonly string[];
  /** Columns that are not recorded: a change of nothing else leaves no entry. */
  readonly ignoredColumns: readonly string[];
}

/** Every table of audited classes: of roots, of class-table kinds, and pivot tables, whose links stand in entries of their owners. */
export function witnessedTablesOf(storage: MetadataStorage): readonly WitnessedTable[] {
  const metas = [...storage.getAll().values()].filter((meta) => meta.tableName && !meta.embeddable);
  const tables = new Map<string, WitnessedTable>();
  for (const meta of metas.filter((it) => AuditPolicy.isAudited(it))) {
    const hierarchy = metas.filter((it) => it.root === meta.root && AuditPolicy.isAudited(it));
    const entityNames = hierarchy.map(({ className }) => className);
    if (!tables.has(meta.tableName)) tables.set(meta.tableName, ownTable(meta, entityNames));
    for (const { owner, pivotTable, joinColumns = [] } of meta.relations) {
      const [tenantColumn, idColumn] = joinColumns;
      // Pivots without the tenant's column in front, and those of the inverse side, are left out.
      if (!owner || !pivotTable || !tenantColumn || !idColumn || tables.has(pivotTable)) continue;
      tables.set(pivotTable, { name: pivotTable, tenantColumn, idColumn, entityNames, ignoredColumns: [] });
    }
  }
  return [...tables.values()];
}

function ownTable(meta: EntityMetadata, entityNames: readonly string[]): WitnessedTable {
  const columnOf = (name: string) => meta.properties[name as never]?.fieldNames[0] ?? name;
  const policy = AuditPolicy.of(meta);
  const ignored = meta.props.filter((prop) => {
    const path = prop.embedded ? prop.embedded.join('.') : prop.name;
    return policy.disclosureOf(path) === 'nothing';
  });
  return {
    name: meta.tableName,
    tenantColumn: columnOf('tenantId'),
    idColumn: columnOf('id'),
    entityNames,
    ignoredColumns: ignored.flatMap((prop) => prop.fieldNames ?? []),
  };
}
