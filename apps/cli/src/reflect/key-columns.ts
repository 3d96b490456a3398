import type { EntityMetadata } from '@mikro-orm/core';
import { type AbstractSqlDriver, DatabaseSchema } from '@mikro-orm/sql';

/** The columns of each table's primary key. */
export type KeyColumns = ReadonlyMap<string, ReadonlySet<string>>;

export async function readKeyColumns(driver: AbstractSqlDriver, schemaName?: string): Promise<KeyColumns> {
  const schema = await DatabaseSchema.create(driver.getConnection(), driver.getPlatform(), driver.config, schemaName);
  return new Map(schema.getTables().map((table) => [table.name, new Set(table.getPrimaryKey()?.columnNames)]));
}

/**
 * The generator drops a key column that several foreign keys share, such as a tenant id, and so loses half of the key. It is
 * asked for a plain property beside each relation; here those of key columns become keys, and the others go.
 */
export function keepKeyColumns(metadata: readonly EntityMetadata[], keyColumns: KeyColumns): void {
  for (const meta of metadata) {
    const keys = keyColumns.get(meta.collection) ?? new Set();
    for (const prop of meta.props.filter(({ persist }) => persist === false)) {
      const [column = ''] = prop.fieldNames;
      if (!keys.has(column) || isKeyRelation(meta, column)) meta.removeProperty(prop.name);
      else Object.assign(prop, { primary: true, persist: undefined });
    }
    meta.primaryKeys = meta.props.filter(({ primary }) => primary).map(({ name }) => name);
    meta.compositePK = meta.primaryKeys.length > 1;
  }
}

/** A relation that is itself the key holds the column already. */
function isKeyRelation(meta: EntityMetadata, column: string): boolean {
  return meta.relations.some(({ primary, fieldNames }) => primary && fieldNames.includes(column));
}
