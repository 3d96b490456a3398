import type { Configuration } from '@mikro-orm/core';
import type { SqliteConnection } from '@mikro-orm/sqlite';
import { LinkingSqliteDriver } from './linking-sqlite.driver.js';

/** A `better-sqlite3` database, as far as it is looked at here. */
interface Database {
  prepare(sql: string): Statement;
}

interface Statement {
  /** Whether it returns rows. */
  readonly reader: boolean;
  /** Whether somebody iterates over its rows. */
  readonly busy: boolean;
}

/** Texts of the bulk dialect: long, and the same again and again. One kept statement takes some 100 KB. */
const LONG_WRITE = /^(insert|update) .{1000}/s;
const MOST_LONG_WRITES = 8;

/** Short ones with bound values: an audit entry, a seal. Preparing one takes as long as running it. */
const BOUND_WRITE = /^(insert|update|delete) .*\?/s;
const MOST_BOUND_WRITES = 32;

/** Reads with bound values: one text for all of them. MikroORM writes values into its own, which never come again. */
const BOUND_READ = /^select .*\?/s;
const LONGEST_READ = 4_000;
const MOST_READS = 64;

/**
 * SQLite driver with a memory for statements that come again. Kysely prepares every statement anew. For a multi-row insert
 * that takes a third of the time of the insert itself (measured: 47 ms against 33 for 10,000 rows), for a row read by its
 * key twice the time of the read.
 *
 * None is ever in use twice: a write is done when the call returns, and a read that somebody still iterates over is
 * prepared again for the next.
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
  const writes = new KeptStatements(MOST_LONG_WRITES);
  const shortWrites = new KeptStatements(MOST_BOUND_WRITES);
  const reads = new KeptStatements(MOST_READS);
  database.prepare = (sql) => {
    const known = reads.find(sql) ?? writes.find(sql) ?? shortWrites.find(sql);
    if (known && !known.busy) return known;
    const statement = prepare(sql);
    if (!statement.reader && LONG_WRITE.test(sql)) writes.keep(sql, statement);
    else if (!statement.reader && BOUND_WRITE.test(sql)) shortWrites.keep(sql, statement);
    if (statement.reader && sql.length <= LONGEST_READ && BOUND_READ.test(sql)) reads.keep(sql, statement);
    return statement;
  };
}

/** The last `most` texts. */
class KeptStatements {
  /** The longest unused first. */
  readonly #byText = new Map<string, Statement>();

  constructor(private readonly most: number) {}

  find(sql: string): Statement | undefined {
    const known = this.#byText.get(sql);
    if (known) this.#put(sql, known);
    return known;
  }

  keep(sql: string, statement: Statement): void {
    this.#put(sql, statement);
    const [oldest] = this.#byText.keys();
    if (this.#byText.size > this.most && oldest !== undefined) this.#byText.delete(oldest);
  }

  #put(sql: string, statement: Statement): void {
    this.#byText.delete(sql);
    this.#byText.set(sql, statement);
  }
}
