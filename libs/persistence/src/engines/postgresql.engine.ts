import type { Engine } from './engine.js';
import { LazyDriver } from './lazy-driver.js';
import { postgresqlBulkDialect } from './postgresql.bulk-dialect.js';

import { postgresqlTransactionDialect } from './postgresql.transaction-dialect.js';
import { postgresqlTwoPhaseDialect } from './postgresql.two-phase-dialect.js';
import { postgresqlWire } from './postgresql.wire.js';
import { withReliableTransactions } from './reliable-transactions.js';

import { serverOptions } from './server-options.js';

const driver = new LazyDriver('@mikro-orm/postgresql', 'PostgreSqlDriver', (it) =>
  withReliableTransactions(it, postgresqlTransactionDialect, postgresqlTwoPhaseDialect),
);

/** PostgreSQL 15 or later through pg. */
export const postgresqlEngine: Engine = {
  name: 'postgresql',
  get driver() {
    return driver.class;
  },
  runs: (candidate) => driver.made(candidate),
  bulk: postgresqlBulkDialect,
  transactions: postgresqlTransactionDialect,
  twoPhase: postgresqlTwoPhaseDialect,
  wire: postgresqlWire,
  connectionOptions: serverOptions,
};
