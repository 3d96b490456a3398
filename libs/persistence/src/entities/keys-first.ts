import type { MetadataStorage } from '@mikro-orm/core';

/**
 * Lets the key of a row in a child's table say whose it is. A relation shares the tenant's column, and where several
 * properties have a column, MikroORM 7.2.1 takes its value and its definition from the one that comes first. In a child's table
 * that is a relation of the child: one that may point to nothing made the tenant nullable, and one that does, a row without a
 * tenant. Servers refuse such a row; SQLite kept it, a row of nobody. Given as `discovery.afterDiscovered`.
 */
export function putKeysFirst(storage: MetadataStorage): void {
  for (const meta of storage.getAll().values()) {
    if (!meta.tptParent || !meta.ownProps) continue;
    const keys = meta.getPrimaryProps();
    meta.ownProps = [...keys, ...meta.ownProps.filter((property) => !keys.includes(property))];
  }
}
