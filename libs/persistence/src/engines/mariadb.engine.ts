import type { Engine } from './engine.js';
import { mysqlFenceDialect } from './fence-dialect.js';
import { LazyDriver } from './lazy-driver.js';
import { mysqlLockDialect } from './lock-dialect.js';
import { mariadbBulkDialect } from './mysql.bulk-dialect.js';
import { mysqlPlaceDialect } from './mysql.place-dialect.js';

import { mariadbTransactionDialect } from './mysql.transaction-dialect.js';
import { mysqlTwoPhaseDialect } from './mysql.two-phase-dialect.js';
import { mysqlWire } from './mysql.wire.js';
import { withReliableTransactions } from './reliable-transactions.js';

import { keptIdle, serverOptions, TEXT_OF_MYSQL } from './server-options.js';

const driver = new LazyDriver('@mikro-orm/mariadb', 'MariaDbDriver', (it) =>
  withReliableTransactions(it, mariadbTransactionDialect, mysqlTwoPhaseDialect),
);

/** MariaDB 10.11 or later. */
export const mariadbEngine: Engine = {
  name: 'mariadb',
  get driver() {
    return driver.class;
  },
  runs: (candidate) => driver.made(candidate),
  streamedRows: 1_000,
  bulk: mariadbBulkDialect,
  transactions: mariadbTransactionDialect,
  twoPhase: mysqlTwoPhaseDialect,
  locks: mysqlLockDialect,
  fences: mysqlFenceDialect,
  places: mysqlPlaceDialect,
  wire: mysqlWire,
  connectionOptions: (url, pool) => ({
    // MikroORM knows one URL scheme for both products.
    ...serverOptions(url.replace(/^mariadb:/, 'mysql:'), pool),
    ...TEXT_OF_MYSQL,
    driverOptions: { maxIdle: keptIdle(pool) },
  }),
};
