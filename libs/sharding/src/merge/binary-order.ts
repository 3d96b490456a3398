import type { AbstractSqlPlatform } from '@mikro-orm/sql';
import type { EngineName } from '#libs/persistence';

/** The collation under which an engine compares text by its bytes. */
const BINARY_COLLATION: Readonly<Record<EngineName, string>> = {
  sqlite: 'binary',
  postgresql: 'C',
  mysql: 'utf8mb4_bin',
  mariadb: 'utf8mb4_bin',
};

/**
 * Lets the databases of one MikroORM instance understand `'binary asc nulls last'` as a direction to order by. It is done
 * where the column is already resolved, so that it holds for inherited and embedded properties too; the find option
 * `collation` would apply to every key, and fails on numbers.
 *
 * Other directions, and every query that is not a fan-out, are left as they are.
 */
export function teachBinaryOrder(platform: AbstractSqlPlatform, engine: EngineName): void {
  const original = platform.getOrderByExpression.bind(platform);
  platform.getOrderByExpression = (column, direction, collation) => {
    const [, rest] = /^binary (.*)$/.exec(String(direction)) ?? [];
    return rest ? original(column, rest, BINARY_COLLATION[engine]) : original(column, direction, collation);
  };
}
