import type { AbstractSqlConnection } from '@mikro-orm/sql';
import type { CompiledQuery, DatabaseConnection, Dialect } from 'kysely';

/** Transaction control, and the question that the mysql and mariadb drivers ask once in their life. */
const HOUSEKEEPING =
  /^\s*((begin|start transaction|set transaction|commit|rollback|savepoint|release)\b|show variables like 'auto_increment)/i;

/**
 * Hears every statement of an ORM at the one point all of them pass, the Kysely connection: flush, find, query builder,
 * raw SQL and Kysely alike, where MikroORM's own logger misses Kysely.
 */
export class StatementLog {
  readonly #listeners = new Set<(sql: string) => void>();
  readonly #patched = new WeakSet<DatabaseConnection>();

  /** Call before the connection is opened. */
  listenTo(connection: AbstractSqlConnection): void {
    const createDialect = connection.createKyselyDialect.bind(connection);
    // Some drivers answer with a promise, so this takes either.
    connection.createKyselyDialect = ((overrides: never) => {
      const dialect = createDialect(overrides) as Dialect | Promise<Dialect>;
      return dialect instanceof Promise ? dialect.then((it) => this.#tap(it)) : this.#tap(dialect);
    }) as typeof connection.createKyselyDialect;
  }

  /** The statements sent while `fn` runs, in order, without begin, commit and savepoints. */
  async record(fn: () => Promise<unknown>): Promise<string[]> {
    const statements: string[] = [];
    const listener = (sql: string) => HOUSEKEEPING.test(sql) || statements.push(sql);
    this.#listeners.add(listener);
    try {
      await fn();
    } finally {
      this.#listeners.delete(listener);
    }
    return statements;
  }

  #tap(dialect: Dialect): Dialect {
    const createDriver = dialect.createDriver.bind(dialect);
    dialect.createDriver = () => {
      const driver = createDriver();
      const acquire = driver.acquireConnection.bind(driver);
      driver.acquireConnection = async (...args) => this.#patch(await acquire(...args));
      return driver;
    };
    return dialect;
  }

  #patch(connection: DatabaseConnection): DatabaseConnection {
    if (this.#patched.has(connection)) return connection;
    this.#patched.add(connection);
    const { executeQuery, streamQuery } = connection;
    const tell = (query: CompiledQuery) => {
      for (const listener of this.#listeners) listener(query.sql);
    };
    connection.executeQuery = function tapped(query, ...rest) {
      tell(query);
      return executeQuery.call(this, query, ...rest) as never;
    };
    connection.streamQuery = function tapped(query, ...rest) {
      tell(query);
      return streamQuery.call(this, query, ...rest) as never;
    };
    return connection;
  }
}
