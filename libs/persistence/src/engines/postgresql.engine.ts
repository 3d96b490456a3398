import { type DriverException, ForeignKeyConstraintViolationException } from '@mikro-orm/core';
import type { DriverClass, Engine } from './engine.js';
import { postgresqlFenceDialect } from './fence-dialect.js';
import { LazyDriver } from './lazy-driver.js';
import { postgresqlLockDialect } from './lock-dialect.js';
import { postgresqlBulkDialect } from './postgresql.bulk-dialect.js';
import { postgresqlPlaceDialect } from './postgresql.place-dialect.js';
import { settingsClient } from './postgresql.settings-client.js';
import { withKeptStatements } from './postgresql.statement-keeping-client.js';
import { postgresqlTransactionDialect } from './postgresql.transaction-dialect.js';
import { postgresqlTwoPhaseDialect } from './postgresql.two-phase-dialect.js';
import { postgresqlWire } from './postgresql.wire.js';
import { withReliableTransactions } from './reliable-transactions.js';
import { serverOptions } from './server-options.js';

const driver = new LazyDriver('@mikro-orm/postgresql', 'PostgreSqlDriver', (it) =>
  withReliableTransactions(
    withKeptStatements(withRestrictViolations(it)),
    postgresqlTransactionDialect,
    postgresqlTwoPhaseDialect,
  ),
);

/** Since PostgreSQL 18 a foreign key with `on delete restrict` has a code of its own, which MikroORM 7.2.1 does not know. */
function withRestrictViolations(driver: DriverClass): DriverClass {
  return class RestrictAwareDriver extends driver {
    override convertException(exception: Error & { code?: string }): DriverException {
      if (exception.code === '23001') return new ForeignKeyConstraintViolationException(exception);
      return super.convertException(exception);
    }
  };
}

/** PostgreSQL 15 or later through pg. */
export const postgresqlEngine: Engine = {
  name: 'postgresql',
  get driver() {
    return driver.class;
  },
  runs: (candidate) => driver.made(candidate),
  streamedRows: 1_000,
  bulk: postgresqlBulkDialect,
  transactions: postgresqlTransactionDialect,
  twoPhase: postgresqlTwoPhaseDialect,
  locks: postgresqlLockDialect,
  fences: postgresqlFenceDialect,
  places: postgresqlPlaceDialect,
  wire: postgresqlWire,
  carry: (settings) => ({ driverOptions: { Client: settingsClient(settings) } }),
  connectionOptions: serverOptions,
};
