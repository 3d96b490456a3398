import type { Engine } from './engine.js';
import { mysqlFenceDialect } from './fence-dialect.js';
import { LazyDriver } from './lazy-driver.js';
import { mysqlLockDialect } from './lock-dialect.js';
import { mysqlBulkDialect } from './mysql.bulk-dialect.js';
import { mysqlPlaceDialect } from './mysql.place-dialect.js';

import { mysqlTransactionDialect } from './mysql.transaction-dialect.js';
import { mysqlTwoPhaseDialect } from './mysql.two-phase-dialect.js';
import { mysqlWire } from './mysql.wire.js';
import { withReliableTransactions } from './reliable-transactions.js';

import { keptIdle, serverOptions, TEXT_OF_MYSQL } from './server-options.js';

const driver = new LazyDriver('@mikro-orm/mysql', 'MySqlDriver', (it) =>
  withReliableTransactions(it, mysqlTransactionDialect, mysqlTwoPhaseDialect),
);

/** Oracle's MySQL 8 through mysql2. On a MariaDB server use `mariadb:`: with this driver its schema diff never converges. */
export const mysqlEngine: Engine = {
  name: 'mysql',
  get driver() {
    return driver.class;
  },
  runs: (candidate) => driver.made(candidate),
  streamedRows: 1_000,
  bulk: mysqlBulkDialect,
  transactions: mysqlTransactionDialect,
  twoPhase: mysqlTwoPhaseDialect,
  locks: mysqlLockDialect,
  fences: mysqlFenceDialect,
  places: mysqlPlaceDialect,
  wire: mysqlWire,
  connectionOptions: (url, pool) => ({
    ...serverOptions(url, pool),
    ...TEXT_OF_MYSQL,
    driverOptions: { maxIdle: keptIdle(pool) },
  }),
};
