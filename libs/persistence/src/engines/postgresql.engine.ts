import { PostgreSqlDriver } from '@mikro-orm/postgresql';
import type { DriverClass, Engine } from './engine.js';
import { postgresqlBulkDialect } from './postgresql.bulk-dialect.js';
import { serverOptions } from './server-options.js';

/** PostgreSQL 15 or later through pg. */
export const postgresqlEngine: Engine = {
  name: 'postgresql',
  driver: PostgreSqlDriver as DriverClass,
  bulk: postgresqlBulkDialect,
  connectionOptions: serverOptions,
};
