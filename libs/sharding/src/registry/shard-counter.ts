import type { AbstractSqlConnection } from '@mikro-orm/sql';
import type { DatabaseConnection, Dialect, Driver } from 'kysely';
import type { CircuitState } from './circuit-breaker.js';
import type { ShardId } from './shard-definition.js';

/** What one shard does and how it is, since the process started. */
export interface ShardFigures {
  readonly id: ShardId;
  readonly statements: number;
  /** Statements that failed, for whatever reason. */
  readonly errors: number;
  /** Connections in the hands of somebody at this moment. */
  readonly connectionsInUse: number;
  /** Whether callers get through. Always `closed` on sqlite, which has no server to be away. */
  readonly circuit: CircuitState;
}

/** Counts what passes the connection pools of one shard: its own, those of its replicas, and those beside it. */
export class ShardCounter {
  statements = 0;
  errors = 0;
  connectionsInUse = 0;
  readonly #patched = new WeakSet<DatabaseConnection>();

  install(connection: AbstractSqlConnection): void {
    const createDialect = connection.createKyselyDialect.bind(connection);
    connection.createKyselyDialect = ((options: never) => {
      const made = createDialect(options) as Dialect | Promise<Dialect>;
      return made instanceof Promise ? made.then((it) => this.#watch(it)) : this.#watch(made);
    }) as typeof connection.createKyselyDialect;
  }

  #watch(dialect: Dialect): Dialect {
    const createDriver = dialect.createDriver.bind(dialect);
    dialect.createDriver = () => this.#watchDriver(createDriver());
    return dialect;
  }

  #watchDriver(driver: Driver): Driver {
    const acquire = driver.acquireConnection.bind(driver);
    driver.acquireConnection = async (options) => {
      const connection = await acquire(options);
      this.connectionsInUse++;
      this.#watchConnection(connection);
      return connection;
    };
    const release = driver.releaseConnection.bind(driver);
    driver.releaseConnection = (connection, options) => {
      this.connectionsInUse--;
      return release(connection, options);
    };
    return driver;
  }

  #watchConnection(connection: DatabaseConnection): void {
    // Pools give the same object again and again.
    if (this.#patched.has(connection)) return;
    this.#patched.add(connection);
    const { executeQuery } = connection;
    const counter = this;
    connection.executeQuery = async function counted(query, options) {
      counter.statements++;
      try {
        return (await executeQuery.call(this, query, options)) as never;
      } catch (error) {
        counter.errors++;
        throw error;
      }
    };
  }
}
