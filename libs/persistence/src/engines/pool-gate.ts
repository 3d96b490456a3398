import type { AbstractSqlConnection, AbstractSqlDriver } from '@mikro-orm/sql';
import { CompiledQuery, type DatabaseConnection, type DialectAdapter, type Driver } from 'kysely';
import { PoolExhaustedError } from '../errors/pool-exhausted.error.js';
import { runInSystemFrame } from '../system-frame.js';
import { patchDialect, patchDriver } from './patch-dialect.js';

/** How much of one connection pool is in use. */
export interface PoolFigures {
  readonly role: 'primary' | 'replica';
  /** Connections at most. */
  readonly max: number;
  /** Connections that somebody has at this moment. */
  readonly inUse: number;
  /** Callers that wait for one. */
  readonly waiting: number;
  /** Callers, since the process started, that waited in vain. */
  readonly timeouts: number;
}

/** What a pool is told, beside what its driver understands. */
export interface PoolGateOptions {
  readonly max?: number;
  readonly acquireTimeoutMillis?: number;
  readonly onReserveSql?: () => readonly string[];
}

export const DEFAULT_POOL_MAX = 10;
/** Longer than any transaction should last, shorter than anybody's patience. */
export const DEFAULT_ACQUIRE_TIMEOUT_MS = 30_000;

const gates = new WeakMap<AbstractSqlDriver, PoolGate[]>();
const gateOf = new WeakMap<AbstractSqlConnection, PoolGate>();

/** Takes a connection for somebody whose turn it is. `release` gives one back that came too late. */
export type CheckOutWrapper = (
  take: () => Promise<DatabaseConnection>,
  release: (connection: DatabaseConnection) => Promise<void>,
) => Promise<DatabaseConnection>;

/**
 * Lets `wrap` stand around the taking of a connection, without the time that one waits in line for it: how busy we are says
 * nothing of the server. Call before the connection opens, once for each.
 */
export function wrapCheckOut(connection: AbstractSqlConnection, wrap: CheckOutWrapper): void {
  const gate = gateOf.get(connection);
  if (!gate) throw new TypeError('This connection has no gate before its pool: open it with the options of an engine.');
  gate.wrapCheckOut = wrap;
}

/** Figures of the pools behind a driver: the primary's, then one for each replica. */
export function poolFiguresOf(driver: AbstractSqlDriver): PoolFigures[] {
  return (gates.get(driver) ?? []).map((gate) => gate.figures);
}

/** Puts a gate before each pool of a driver. */
export function installPoolGates(
  driver: AbstractSqlDriver,
  connections: readonly AbstractSqlConnection[],
  options: PoolGateOptions,
): void {
  const made = connections.map((connection, at) => new PoolGate(connection, at === 0 ? 'primary' : 'replica', options));
  for (const [at, gate] of made.entries()) {
    gate.install();
    gateOf.set(connections[at] as AbstractSqlConnection, gate);
  }
  gates.set(driver, made);
}

/**
 * Stands before one connection pool and lets as many in as it has connections. Drivers queue callers without end, each in
 * its way: a pool that is full then hangs whatever asks. Here they wait in one line, for a bounded time, on every engine.
 */
class PoolGate {
  wrapCheckOut: CheckOutWrapper = (take) => take();
  readonly #waiting = new Set<() => void>();
  readonly #held = new WeakSet<DatabaseConnection>();
  #max: number;
  readonly #timeoutMs: number;
  #inUse = 0;
  #timeouts = 0;

  constructor(
    private readonly connection: AbstractSqlConnection,
    private readonly role: PoolFigures['role'],
    private readonly options: PoolGateOptions,
  ) {
    this.#max = options.max ?? DEFAULT_POOL_MAX;
    this.#timeoutMs = options.acquireTimeoutMillis ?? DEFAULT_ACQUIRE_TIMEOUT_MS;
  }

  get figures(): PoolFigures {
    const { role } = this;
    return { role, max: this.#max, inUse: this.#inUse, waiting: this.#waiting.size, timeouts: this.#timeouts };
  }

  install(): void {
    patchDriver(this.connection, (driver) => this.#keep(driver));
    patchDialect(this.connection, (dialect) => {
      const createAdapter = dialect.createAdapter.bind(dialect);
      dialect.createAdapter = () => this.#takeOver(createAdapter());
    });
  }

  /** Where there is but one connection, Kysely has a line of its own, in which one waits for ever. */
  #takeOver(adapter: DialectAdapter): DialectAdapter {
    if (adapter.supportsMultipleConnections !== false) return adapter;
    this.#max = 1;
    return Object.defineProperty(adapter, 'supportsMultipleConnections', { value: true });
  }

  #keep(driver: Driver): void {
    const acquire = driver.acquireConnection.bind(driver);
    const release = driver.releaseConnection.bind(driver);
    const take = async (...args: Parameters<typeof acquire>) => {
      const connection = await acquire(...args);
      try {
        await this.#prepare(connection);
        return connection;
      } catch (error) {
        // Whoever asked gets none, and so gives none back.
        await release(connection);
        throw error;
      }
    };
    driver.acquireConnection = async (options) => {
      if (this.#inUse < this.#max) this.#inUse++;
      // Whoever leaves hands the place over, so that nobody overtakes.
      else await this.#wait();
      try {
        const connection = await this.wrapCheckOut(() => take(options), release);
        this.#held.add(connection);
        return connection;
      } catch (error) {
        this.#leave();
        throw error;
      }
    };
    driver.releaseConnection = async (connection) => {
      try {
        await release(connection);
      } finally {
        if (this.#held.delete(connection)) this.#leave();
      }
    };
  }

  /** Sent before every use, so that nothing the one before has set is left. */
  async #prepare(connection: DatabaseConnection): Promise<void> {
    const statements = this.options.onReserveSql?.() ?? [];
    for (const sql of statements) {
      await runInSystemFrame('reserve a connection', () => connection.executeQuery(CompiledQuery.raw(sql)));
    }
  }

  #wait(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const enter = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      this.#waiting.delete(enter);
      this.#timeouts++;
      reject(new PoolExhaustedError(this.#max, this.#timeoutMs));
    }, this.#timeoutMs);
    this.#waiting.add(enter);
    return promise;
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#inUse--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
