import type { AbstractSqlPlatform } from '@mikro-orm/sql';
import type { EngineName } from '#libs/persistence';

/** A text column as something that each engine compares byte by byte. */
export const BY_BYTES: Readonly<Record<EngineName, (column: string) => string>> = {
  sqlite: (column) => `${column} collate binary`,
  postgresql: (column) => `${column} collate "C"`,
  // Not `collate utf8mb4_bin`: it pads, so that 'a' and 'a ' are equal. The collations that do not pad have one name on
  // MySQL and another on MariaDB, and the mysql driver may be talking to either.
  mysql: (column) => `cast(${column} as binary)`,
  mariadb: (column) => `cast(${column} as binary)`,
};

const taught = new WeakSet<AbstractSqlPlatform>();

/**
 * Lets the databases of one MikroORM instance understand `'binary asc nulls last'` as a direction to order by. It is done
 * where the column is already resolved, so that it holds for inherited and embedded properties too; the find option
 * `collation` would apply to every key, and fails on numbers.
 *
 * Other directions, and every query that is not a fan-out, are left as they are.
 */
export function teachBinaryOrder(platform: AbstractSqlPlatform, engine: EngineName): void {
  if (taught.has(platform)) return;
  taught.add(platform);
  const original = platform.getOrderByExpression.bind(platform);
  platform.getOrderByExpression = (column, direction, collation) => {
    const [, rest] = /^binary (.*)$/.exec(String(direction)) ?? [];
    return rest ? original(BY_BYTES[engine](column), rest) : original(column, direction, collation);
  };
}
