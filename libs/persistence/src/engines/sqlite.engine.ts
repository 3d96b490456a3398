import type { DriverClass, Engine } from './engine.js';
import { sqliteFenceDialect } from './fence-dialect.js';
import { sqliteLockDialect } from './lock-dialect.js';
import { LONGEST_WAIT_MS, OneWriterSqliteDriver } from './one-writer-sqlite.driver.js';
import { withReliableTransactions } from './reliable-transactions.js';
import { poolSettings, sendOnCreate } from './server-options.js';
import { sqliteBulkDialect } from './sqlite.bulk-dialect.js';
import { fileOf, sqlitePlaceDialect } from './sqlite.place-dialect.js';
import { sqliteTransactionDialect } from './sqlite.transaction-dialect.js';

/**
 * Sent once per opened file. WAL lets other processes read while one writes; FULL makes a commit survive a power cut,
 * which NORMAL does not in WAL mode; the time-out covers a second process (a command beside the server).
 */
const SESSION_SQL = [
  'pragma journal_mode = wal',
  'pragma synchronous = full',
  `pragma busy_timeout = ${LONGEST_WAIT_MS}`,
];

/** SQLite through better-sqlite3: one file, one connection, no server. The embedded default. */
export const sqliteEngine: Engine = {
  name: 'sqlite',
  driver: withReliableTransactions(OneWriterSqliteDriver as DriverClass, sqliteTransactionDialect),
  runs: (driver) => driver instanceof OneWriterSqliteDriver,
  streamedRows: 400,
  bulk: sqliteBulkDialect,
  transactions: sqliteTransactionDialect,
  locks: sqliteLockDialect,
  fences: sqliteFenceDialect,
  places: sqlitePlaceDialect,
  connectionOptions(url, pool = {}) {
    return {
      dbName: fileOf(url),
      pool: poolSettings({ ...pool, max: 1 }),
      onCreateConnection: (connection) => sendOnCreate(connection, [...SESSION_SQL, ...(pool.onCreateSql ?? [])]),
    };
  },
};
