import type { AbstractSqlConnection } from '@mikro-orm/sql';
import type { DatabaseConnection } from 'kysely';
import { patchDriver } from './patch-dialect.js';

/** Wants to know what becomes of a transaction that somebody else began, by Kysely, on one connection. */
export interface TransactionEndListener {
  /** A savepoint was set. */
  onSavepoint(name: string): void;
  /** The transaction is back where it was at the savepoint. */
  onRollbackTo(name: string): void;
  /** It is over, and its connection free again. Called once. */
  onEnd(isCommitted: boolean): Promise<void>;
}

/** Several transactions may have ended on a connection that somebody keeps. */
interface Heard {
  readonly open: TransactionEndListener[];
  readonly ended: { readonly listener: TransactionEndListener; readonly isCommitted: boolean }[];
}

const heard = new WeakMap<DatabaseConnection, Heard>();
const pools = new WeakMap<DatabaseConnection, AbstractSqlConnection>();

/** The pool that a connection is of. */
export function poolOf(connection: DatabaseConnection): AbstractSqlConnection | undefined {
  return pools.get(connection);
}

/** Tells `listener` how the transaction ends that is open on `connection`. */
export function hearEnd(connection: DatabaseConnection, listener: TransactionEndListener): void {
  const entry = heard.get(connection) ?? { open: [], ended: [] };
  entry.open.push(listener);
  heard.set(connection, entry);
}

function noteEnd(connection: DatabaseConnection, isCommitted: boolean): void {
  const entry = heard.get(connection);
  entry?.ended.push(...entry.open.splice(0).map((listener) => ({ listener, isCommitted })));
}

/** Tells of the end of a transaction whose connection stays reserved after it; does nothing where that was told already. */
export async function tellEnd(connection: DatabaseConnection): Promise<void> {
  // Neither committed nor rolled back: the connection has broken.
  noteEnd(connection, false);
  const { ended = [] } = heard.get(connection) ?? {};
  heard.delete(connection);
  for (const { listener, isCommitted } of ended) await listener.onEnd(isCommitted);
}

/** Hears what becomes of the transactions of one connection pool, whoever began them. */
export function installTransactionEnds(pool: AbstractSqlConnection): void {
  patchDriver(pool, (driver) => {
    const acquire = driver.acquireConnection.bind(driver);
    driver.acquireConnection = async (options) => {
      const connection = await acquire(options);
      pools.set(connection, pool);
      return connection;
    };
    const commit = driver.commitTransaction.bind(driver);
    driver.commitTransaction = async (connection) => {
      await commit(connection);
      noteEnd(connection, true);
    };
    const rollback = driver.rollbackTransaction.bind(driver);
    driver.rollbackTransaction = async (connection) => {
      noteEnd(connection, false);
      await rollback(connection);
    };
    const savepoint = driver.savepoint?.bind(driver);
    driver.savepoint = async (connection, name, compile) => {
      await savepoint?.(connection, name, compile);
      for (const listener of heard.get(connection)?.open ?? []) listener.onSavepoint(name);
    };
    const rollbackTo = driver.rollbackToSavepoint?.bind(driver);
    driver.rollbackToSavepoint = async (connection, name, compile) => {
      await rollbackTo?.(connection, name, compile);
      for (const listener of heard.get(connection)?.open ?? []) listener.onRollbackTo(name);
    };
    const release = driver.releaseConnection.bind(driver);
    driver.releaseConnection = async (connection, ...rest) => {
      try {
        await release(connection, ...rest);
      } finally {
        // What reacts to a commit may need the connection.
        await tellEnd(connection);
      }
    };
  });
}
