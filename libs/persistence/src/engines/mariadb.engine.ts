import { MariaDbDriver } from '@mikro-orm/mariadb';
import type { DriverClass, Engine } from './engine.js';
import { mariadbBulkDialect } from './mysql.bulk-dialect.js';
import { serverOptions } from './server-options.js';

/** MariaDB 10.11 or later. */
export const mariadbEngine: Engine = {
  name: 'mariadb',
  driver: MariaDbDriver as DriverClass,
  bulk: mariadbBulkDialect,
  connectionOptions: (url, pool) => ({
    // MikroORM knows one URL scheme for both products.
    ...serverOptions(url.replace(/^mariadb:/, 'mysql:'), pool),
    charset: 'utf8mb4',
  }),
};
