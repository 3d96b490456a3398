import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Configuration } from '@mikro-orm/core';
import type { SqliteConnection } from '@mikro-orm/sqlite';
import { CompiledQuery, type DatabaseConnection, type Driver } from 'kysely';
import { ConnectionHeldError } from '../errors/connection-held.error.js';
import { runInSystemFrame } from '../system-frame.js';
import { StatementKeepingSqliteDriver } from './statement-keeping-sqlite.driver.js';

/** A `better-sqlite3` database, as far as it is used here. */
interface Database {
  pragma(sql: string): unknown;
}

/** How long a transaction waits for another process to end its own, and how long a statement outside of one. */
export const LONGEST_WAIT_MS = 5000;
const LONGEST_PAUSE_MS = 50;

/** A transaction that the current call runs in, innermost first. */
interface Holder {
  readonly connection: SqliteConnection;
  state: 'beginning' | 'open' | 'over';
  readonly around: Holder | undefined;
}

const holders = new AsyncLocalStorage<Holder>();

/** The transaction the current call runs in, when it holds `connection`. */
function findHolder(connection: SqliteConnection): Holder | undefined {
  for (let holder = holders.getStore(); holder; holder = holder.around) {
    if (holder.connection === connection && holder.state === 'open') return holder;
  }
  return undefined;
}

/**
 * SQLite driver whose transactions mean the same as elsewhere.
 *
 * - One that may write takes the write lock when it begins. As SQLite begins by default, it would take it at its first write
 *   and fail there when another process has written since its first read.
 * - One that reads only cannot write.
 * - Code in a transaction that would wait for its own connection gets an error instead of silence.
 */
export class OneWriterSqliteDriver extends StatementKeepingSqliteDriver {
  constructor(config: Configuration) {
    super(config);
    const connection = this.connection as SqliteConnection;
    const createDialect = connection.createKyselyDialect.bind(connection);
    connection.createKyselyDialect = (options) => {
      const dialect = createDialect(options);
      const createDriver = dialect.createDriver.bind(dialect);
      // Behind the guard this field is closed to everybody but the driver itself, here.
      const database = Reflect.get(connection, 'database') as Database;
      dialect.createDriver = () => letGoAtEnd(takeLockAtBegin(createDriver(), database), connection);
      return dialect;
    };
    refuseToWaitForItself(connection);
  }
}

/**
 * Takes the write lock, waiting for other processes with timers: SQLite's own way to wait stops this whole process.
 * @throws SQLITE_BUSY after `LONGEST_WAIT_MS`
 */
async function beginImmediately(database: Database, begin: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + LONGEST_WAIT_MS;
  for (let pause = 1; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    database.pragma('busy_timeout = 0');
    try {
      await begin();
      return;
    } catch (error) {
      if (!String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY') || Date.now() > deadline) throw error;
    } finally {
      database.pragma(`busy_timeout = ${LONGEST_WAIT_MS}`);
    }
    await sleep(pause);
  }
}

function takeLockAtBegin(driver: Driver, database: Database): Driver {
  const readOnly = new WeakSet<DatabaseConnection>();
  const send = (connection: DatabaseConnection, sql: string) =>
    // The pragma is none that applications may send.
    runInSystemFrame('steer a transaction', () => connection.executeQuery(CompiledQuery.raw(sql)));
  const endReadOnly = async (connection: DatabaseConnection) => {
    if (readOnly.delete(connection)) await send(connection, 'pragma query_only = off');
  };
  const { commitTransaction, rollbackTransaction } = driver;
  driver.beginTransaction = async (connection, { accessMode }) => {
    if (accessMode !== 'read only') {
      await beginImmediately(database, () => send(connection, 'begin immediate'));
      return;
    }
    await send(connection, 'begin');
    await send(connection, 'pragma query_only = on');
    readOnly.add(connection);
  };
  driver.commitTransaction = async (connection) => {
    await commitTransaction.call(driver, connection);
    await endReadOnly(connection);
  };
  driver.rollbackTransaction = async (connection) => {
    // Before the rollback, which may fail: nobody after us must find a connection that cannot write.
    await endReadOnly(connection);
    await rollbackTransaction.call(driver, connection);
  };
  return driver;
}

/** The connection is free once the transaction is over: what reacts to a commit may use it. */
function letGoAtEnd(driver: Driver, connection: SqliteConnection): Driver {
  for (const end of ['commitTransaction', 'rollbackTransaction'] as const) {
    const original = driver[end].bind(driver);
    driver[end] = async (reserved) => {
      await original(reserved);
      const holder = findHolder(connection);
      if (holder) holder.state = 'over';
    };
  }
  return driver;
}

function refuseToWaitForItself(connection: SqliteConnection): void {
  const transactional = connection.transactional.bind(connection);
  const execute = connection.execute.bind(connection);
  const getClient = connection.getClient.bind(connection);

  connection.transactional = async (work, options = {}) => {
    if (options.ctx) return transactional(work, options);
    if (findHolder(connection)) throw new ConnectionHeldError('A second transaction');
    const holder: Holder = { connection, state: 'beginning', around: holders.getStore() };
    const begun: typeof work = (transaction) => {
      holder.state = 'open';
      return work(transaction);
    };
    try {
      return await holders.run(holder, () => transactional(begun, options));
    } finally {
      holder.state = 'over';
    }
  };
  connection.execute = ((query: string, params: unknown[], method: 'all', transaction: never, ...rest: never[]) => {
    if (!transaction && findHolder(connection)) throw new ConnectionHeldError('A statement outside the transaction');
    return execute(query, params, method, transaction, ...rest);
  }) as typeof connection.execute;
  // Kysely and streams, when they are not given a transaction.
  connection.getClient = () => {
    if (findHolder(connection)) throw new ConnectionHeldError('A statement outside the transaction');
    return getClient() as never;
  };
}
