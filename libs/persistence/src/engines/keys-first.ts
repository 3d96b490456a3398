import type { EntityName } from '@mikro-orm/core';
import type { AbstractSqlDriver } from '@mikro-orm/sql';

/** What is overridden here of a driver. */
interface InsertingDriver {
  nativeInsertMany(entity: EntityName, rows: Record<string, unknown>[], ...rest: unknown[]): Promise<unknown>;
}

/**
 * Lets the key of a row say whose it is. A relation shares the tenant's column, and where several properties have a column,
 * MikroORM 7.2.1 takes its value from the one that comes first in the rows. In those of a child's table, that is a relation of
 * the child; one that points to nothing has no tenant. Servers
 * refuse such a row; SQLite kept it, a row of nobody.
 */
export function insertKeysFirst(driver: AbstractSqlDriver): void {
  const inserting = driver as unknown as InsertingDriver;
  const insert = inserting.nativeInsertMany.bind(driver);
  inserting.nativeInsertMany = (entity, rows, ...rest) => {
    const { tptParent, primaryKeys } = driver.getMetadata().get(entity);
    const [first] = rows;
    if (tptParent && first) putFirst(first, primaryKeys);
    return insert(entity, rows, ...rest);
  };
}

/** In place: MikroORM goes on with the same object, and completes it with what the database has answered. */
function putFirst(row: Record<string, unknown>, names: readonly string[]): void {
  const others = Object.entries(row).filter(([name]) => !names.includes(name));
  for (const [name, value] of others) {
    Reflect.deleteProperty(row, name);
    row[name] = value;
  }
}
