import { MySqlDriver } from '@mikro-orm/mysql';
import type { DriverClass, Engine } from './engine.js';
import { mysqlBulkDialect } from './mysql.bulk-dialect.js';
import { serverOptions } from './server-options.js';

/** Oracle's MySQL 8 through mysql2. On a MariaDB server use `mariadb:`: with this driver its schema diff never converges. */
export const mysqlEngine: Engine = {
  name: 'mysql',
  driver: MySqlDriver as DriverClass,
  bulk: mysqlBulkDialect,
  connectionOptions: (url, pool) => ({ ...serverOptions(url, pool), charset: 'utf8mb4' }),
};
