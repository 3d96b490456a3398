import { AsyncLocalStorage } from 'node:async_hooks';
import type { AbstractSqlConnection } from '@mikro-orm/sql';
import type { DatabaseConnection, Dialect, Driver } from 'kysely';
import { StorageFullError } from '../errors/storage-full.error.js';
import type { DatabaseFault } from './bulk-dialect.js';
import type { TransactionDialect } from './transaction-dialect.js';

/** A `begin` of MikroORM under way, and why it failed. */
interface Beginning {
  failure?: { readonly error: unknown };
}

/** To the beginning, or to a savepoint. */
const ROLLBACK = /^\s*rollback\b/i;
const ROLLBACK_TO_SAVEPOINT = /^\s*rollback\s+to\b/i;

const beginnings = new AsyncLocalStorage<Beginning>();

/**
 * Makes transactions on one connection pool end in what was said they end in. Two holes of Kysely 0.29 and the drivers:
 *
 * - A failed `begin` or `rollback` leaves the connection reserved for ever: a pool loses one, and on SQLite, where there is
 *   but one, everything stands still.
 * - A transaction that the server has given up (PostgreSQL: after any error; MySQL: after a deadlock) can be committed
 *   when code has swallowed the error: "success", and nothing, or half, is kept. Here the commit throws that error.
 *
 * And since whatever is sent passes here, the commit included, a full disk gets its one name here.
 */
export class TransactionKeeper {
  readonly #patched = new WeakSet<DatabaseConnection>();
  /** Connections in a transaction, with the error that has ended it in truth. */
  readonly #open = new WeakMap<DatabaseConnection, { lostBy?: unknown }>();

  constructor(
    private readonly connection: AbstractSqlConnection,
    private readonly dialect: TransactionDialect,
  ) {}

  install(): void {
    const { connection } = this;
    const createDialect = connection.createKyselyDialect.bind(connection);
    // mysql and mariadb answer with a promise, the others at once.
    connection.createKyselyDialect = ((options: never) => {
      const made = createDialect(options) as Dialect | Promise<Dialect>;
      return made instanceof Promise ? made.then((it) => this.#keepDialect(it)) : this.#keepDialect(made);
    }) as typeof connection.createKyselyDialect;
    this.#reportFailedBegin();
  }

  /** Kysely must not see a failed `begin`, or it never lets go of the connection; its caller must. */
  #reportFailedBegin(): void {
    const { connection } = this;
    const begin = connection.begin.bind(connection);
    connection.begin = async (options = {}) => {
      if (options.ctx) return begin(options);
      const beginning: Beginning = {};
      const transaction = await beginnings.run(beginning, () => begin(options));
      if (!beginning.failure) return transaction;
      await connection.rollback(transaction, options.eventBroadcaster, options.loggerContext);
      throw beginning.failure.error;
    };
  }

  #keepDialect(dialect: Dialect): Dialect {
    const createDriver = dialect.createDriver.bind(dialect);
    dialect.createDriver = () => this.#keepDriver(createDriver());
    return dialect;
  }

  #keepDriver(driver: Driver): Driver {
    const acquire = driver.acquireConnection.bind(driver);
    driver.acquireConnection = async (options) => this.#watch(await acquire(options));
    this.#keepBegin(driver);
    this.#keepCommit(driver);
    this.#keepRollback(driver);
    return driver;
  }

  #keepBegin(driver: Driver): void {
    const begin = driver.beginTransaction.bind(driver);
    driver.beginTransaction = async (connection, settings) => {
      try {
        await begin(connection, settings);
        this.#open.set(connection, {});
      } catch (error) {
        const beginning = beginnings.getStore();
        // Kysely's own `transaction().execute()` handles it; only the begin of MikroORM does not.
        if (!beginning) throw error;
        beginning.failure = { error };
      }
    };
  }

  #keepCommit(driver: Driver): void {
    const commit = driver.commitTransaction.bind(driver);
    driver.commitTransaction = async (connection) => {
      const state = this.#open.get(connection);
      if (state && 'lostBy' in state) throw state.lostBy;
      await commit(connection);
      this.#open.delete(connection);
    };
  }

  #keepRollback(driver: Driver): void {
    const rollback = driver.rollbackTransaction.bind(driver);
    driver.rollbackTransaction = async (connection) => {
      this.#open.delete(connection);
      // It fails when there is nothing left to roll back: the connection is gone, or the server has done it already.
      await rollback(connection).catch(() => {});
    };
  }

  #watch(connection: DatabaseConnection): DatabaseConnection {
    // Pools give the same object again and again.
    if (this.#patched.has(connection)) return connection;
    this.#patched.add(connection);
    const { executeQuery } = connection;
    const { dialect } = this;
    const open = this.#open;
    connection.executeQuery = async function kept(query, options) {
      const state = open.get(connection);
      // It would be refused with an error that no longer tells why, or be committed alone.
      if (state && 'lostBy' in state && !ROLLBACK.test(query.sql)) throw state.lostBy;
      try {
        const result = await executeQuery.call(this, query, options);
        if (state && dialect.isSavedBySavepoint && ROLLBACK_TO_SAVEPOINT.test(query.sql)) delete state.lostBy;
        return result as never;
      } catch (error) {
        const isFull = dialect.isStorageFull(error as DatabaseFault);
        const failure = isFull ? new StorageFullError({ cause: error }) : error;
        if (state && dialect.isLostBy(error as DatabaseFault)) state.lostBy ??= failure;
        throw failure;
      }
    };
    return connection;
  }
}
