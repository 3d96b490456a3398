import type { AbstractSqlConnection, AbstractSqlDriver } from '@mikro-orm/sql';
import { type Context, findContext } from '#libs/context';
import { patchDriver } from './patch-dialect.js';

/** How long an actor who has written reads from the primary, in milliseconds. Replicas that lag more show it old rows. */
export const READ_YOUR_WRITES_MS = 5_000;
/** How long a replica that failed is left alone. */
const REST_MS = 10_000;
/** Actors who have written, before those whose time is over are forgotten. */
const MOST_WRITERS = 10_000;

/** Reading alone; all else may write, a begin of a transaction included. */
const READS = /^\s*(select|show|explain|pragma)\b/i;
/** What may not have side effects by its definition (RFC 9110 §9.2.1). */
const SAFE_METHODS: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD']);

const reads = new WeakMap<AbstractSqlDriver, ReplicaReads>();

/**
 * Runs a read on the connection that `driver` has for it: again on the primary when that was a replica and it failed.
 * For reads that go past MikroORM's own; those do so by themselves.
 */
export function readFrom<T>(
  driver: AbstractSqlDriver,
  type: 'read' | 'write',
  run: (connection: AbstractSqlConnection) => Promise<T>,
): Promise<T> {
  const connection = driver.getConnection(type) as AbstractSqlConnection;
  return reads.get(driver)?.read(connection, run) ?? run(connection);
}

/**
 * Decides whether a read may go to a replica, which is behind the primary by an unknown time:
 *
 * - in a context of a safe HTTP method, since whoever writes after reading must not build on old rows,
 * - unless that request, or in the last seconds its actor, has written here: people find what they have done,
 * - never inside a transaction, which MikroORM does not ask about.
 *
 * A replica that fails is left alone for a while, and its reads go to the primary.
 */
export class ReplicaReads {
  readonly #resting = new WeakMap<AbstractSqlConnection, number>();
  readonly #wrote = new WeakSet<Context>();
  /** When actors last wrote. */
  readonly #writers = new Map<string, number>();
  #turn = 0;

  constructor(
    private readonly primary: AbstractSqlConnection,
    private readonly replicas: readonly AbstractSqlConnection[],
  ) {}

  /** @returns nothing where there are no replicas, and nothing to decide */
  static install(driver: AbstractSqlDriver, connections: readonly AbstractSqlConnection[]): ReplicaReads | undefined {
    const [primary, ...replicas] = connections;
    if (!primary || replicas.length === 0) return undefined;
    const made = new ReplicaReads(primary, replicas);
    reads.set(driver, made);
    made.#watchWrites();
    for (const replica of replicas) made.#fallBack(replica);
    return made;
  }

  /** The connection for a read that may go to a replica. */
  choose(): AbstractSqlConnection {
    const context = findContext();
    if (!context || !SAFE_METHODS.has(context.method) || this.#hasWritten(context)) return this.primary;
    const now = Date.now();
    for (let n = 0; n < this.replicas.length; n++) {
      const replica = this.replicas[this.#turn++ % this.replicas.length] as AbstractSqlConnection;
      if ((this.#resting.get(replica) ?? 0) <= now) return replica;
    }
    return this.primary;
  }

  async read<T>(connection: AbstractSqlConnection, run: (connection: AbstractSqlConnection) => Promise<T>): Promise<T> {
    if (connection === this.primary) return run(connection);
    try {
      return await run(connection);
    } catch {
      // If the statement is to blame, the primary says so as well.
      const result = await run(this.primary);
      this.#resting.set(connection, Date.now() + REST_MS);
      return result;
    }
  }

  #fallBack(replica: AbstractSqlConnection): void {
    const execute = replica.execute.bind(replica) as (...args: unknown[]) => Promise<unknown>;
    replica.execute = ((...args: unknown[]) =>
      this.read(replica, (connection) =>
        connection === replica ? execute(...args) : (connection.execute as typeof execute)(...args),
      )) as typeof replica.execute;
  }

  #watchWrites(): void {
    patchDriver(this.primary, (driver) => {
      const acquire = driver.acquireConnection.bind(driver);
      const watched = new WeakSet<object>();
      driver.acquireConnection = async (options) => {
        const connection = await acquire(options);
        if (watched.has(connection)) return connection;
        watched.add(connection);
        const { executeQuery } = connection;
        const note = (sql: string) => READS.test(sql) || this.#noteWrite();
        connection.executeQuery = function noted(query, ...rest) {
          note(query.sql);
          return executeQuery.call(this, query, ...rest) as never;
        };
        return connection;
      };
    });
  }

  #hasWritten(context: Context): boolean {
    if (this.#wrote.has(context)) return true;
    const key = keyOf(context);
    return key !== undefined && (this.#writers.get(key) ?? 0) + READ_YOUR_WRITES_MS > Date.now();
  }

  #noteWrite(): void {
    const context = findContext();
    if (!context) return;
    this.#wrote.add(context);
    const key = keyOf(context);
    if (key === undefined) return;
    // Put last again, so that the oldest come first.
    this.#writers.delete(key);
    this.#writers.set(key, Date.now());
    if (this.#writers.size > MOST_WRITERS) this.#forget();
  }

  #forget(): void {
    const over = Date.now() - READ_YOUR_WRITES_MS;
    for (const [key, time] of this.#writers) {
      if (time > over) return;
      this.#writers.delete(key);
    }
  }
}

function keyOf({ actor, tenant }: Context): string | undefined {
  return actor && `${tenant?.id} ${actor.type} ${actor.id}`;
}
