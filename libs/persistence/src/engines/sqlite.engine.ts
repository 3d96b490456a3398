import { CompiledQuery, type DatabaseConnection } from 'kysely';
import type { DriverClass, Engine } from './engine.js';
import { sqliteBulkDialect } from './sqlite.bulk-dialect.js';
import { StatementKeepingSqliteDriver } from './statement-keeping-sqlite.driver.js';

/**
 * Sent once per opened file. WAL lets other processes read while one writes; FULL makes a commit survive a power cut,
 * which NORMAL does not in WAL mode; the time-out covers a second process (a command beside the server).
 */
const SESSION_SQL = ['pragma journal_mode = wal', 'pragma synchronous = full', 'pragma busy_timeout = 5000'];

/** The file behind `sqlite:<path>`; `sqlite::memory:` is a database that lives as long as its connection. */
function fileOf(url: string): string {
  return url.replace(/^sqlite:(\/\/(?=\/))?/, '');
}

/** SQLite through better-sqlite3: one file, one connection, no server. The embedded default. */
export const sqliteEngine: Engine = {
  name: 'sqlite',
  driver: StatementKeepingSqliteDriver as DriverClass,
  runs: (driver) => driver instanceof StatementKeepingSqliteDriver,
  bulk: sqliteBulkDialect,
  connectionOptions(url) {
    return {
      dbName: fileOf(url),
      onCreateConnection: async (connection) => {
        for (const sql of SESSION_SQL) await (connection as DatabaseConnection).executeQuery(CompiledQuery.raw(sql));
      },
    };
  },
};
