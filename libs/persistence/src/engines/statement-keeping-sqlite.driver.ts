import type { Configuration } from '@mikro-orm/core';
import type { SqliteConnection } from '@mikro-orm/sqlite';
import { LinkingSqliteDriver } from './linking-sqlite.driver.js';

/** A `better-sqlite3` database, as far as it is looked at here. */
interface Database {
  prepare(sql: string): { readonly reader: boolean };
}

/** Texts of the bulk dialect: long, and the same again and again. One kept statement takes some 100 KB. */
const WORTH_KEEPING = /^(insert|update) .{1000}/s;
const MOST_KEPT = 8;

/**
 * SQLite driver with a memory for long writing statements. Kysely prepares every statement anew, and for
 * a multi-row insert that takes a third of the time of the insert itself (measured: 47 ms against 33 for 10,000 rows).
 *
 * Only statements that return no rows are kept: they are done when the call returns, so that none is ever in use twice.
 */
export class StatementKeepingSqliteDriver extends LinkingSqliteDriver {
  constructor(config: Configuration) {
    super(config);
    const connection = this.connection as SqliteConnection;
    const createDialect = connection.createKyselyDialect.bind(connection);
    connection.createKyselyDialect = (options) => {
      const dialect = createDialect(options);
      keepStatements(Reflect.get(connection, 'database') as Database);
      return dialect;
    };
  }
}

function keepStatements(database: Database): void {
  const prepare = database.prepare.bind(database);
  const kept = new Map<string, ReturnType<Database['prepare']>>();
  database.prepare = (sql) => {
    const known = kept.get(sql);
    if (known) return known;
    const statement = prepare(sql);
    if (statement.reader || !WORTH_KEEPING.test(sql)) return statement;
    const [oldest] = kept.keys();
    if (kept.size >= MOST_KEPT && oldest !== undefined) kept.delete(oldest);
    kept.set(sql, statement);
    return statement;
  };
}
