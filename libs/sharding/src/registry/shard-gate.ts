import type { AbstractSqlConnection } from '@mikro-orm/sql';
import { CompiledQuery, type DatabaseConnection, type Dialect, type Driver } from 'kysely';
import {
  type Cut,
  isBoundedCall,
  PoolExhaustedError,
  runInSystemFrame,
  type Wire,
  wrapCheckOut,
} from '#libs/persistence';
import { ShardUnavailableError } from '../errors/shard-unavailable.error.js';
import { isUnavailable, toShardError } from '../fan-out/shard-failure.js';
import { CircuitBreaker, type CircuitState, type Verdict } from './circuit-breaker.js';
import type { ShardId } from './shard-definition.js';
import type { ShardPatience } from './shard-patience.js';

/** The methods of a MikroORM connection that are replaced; one of them is protected. */
interface Gated {
  connect(options?: unknown): Promise<void>;
  createKyselyDialect(options: unknown): Dialect | Promise<Dialect>;
  getNativeClient(): Promise<object>;
}

/**
 * Stands in front of one connection pool of a server: bounds every wait, turns what drivers say of a server that is away
 * into a `ShardUnavailableError`, and keeps callers from a shard that fails. What hangs is cut off at the socket, so that
 * the pool gets its place back; a transaction on it is lost, as the server's own end of it will find out.
 */
export class ShardGate {
  readonly #breaker: CircuitBreaker;
  /** How to cut off what was taken from the pool. */
  readonly #cuts = new WeakMap<DatabaseConnection, Cut>();
  readonly #watched = new WeakSet<DatabaseConnection>();
  /** Connections that broke or were cut off, and have not left their pool yet. */
  readonly #lost = new WeakSet<DatabaseConnection>();
  #checkOut: ReturnType<Wire['watch']> | undefined;

  constructor(
    private readonly shardId: ShardId,
    private readonly connection: AbstractSqlConnection,
    private readonly wire: Wire,
    private readonly patience: Required<ShardPatience>,
  ) {
    this.#breaker = new CircuitBreaker(patience);
  }

  get circuit(): CircuitState {
    return this.#breaker.state;
  }

  install(): void {
    wrapCheckOut(this.connection, (take, release) => this.#takeInTime(take, release));
    const gated = this.connection as unknown as Gated;
    const createDialect = gated.createKyselyDialect.bind(gated);
    gated.createKyselyDialect = (options) => {
      const dialect = createDialect(options);
      return dialect instanceof Promise ? dialect.then((it) => this.#gate(it)) : this.#gate(dialect);
    };
  }

  #gate(dialect: Dialect): Dialect {
    const createDriver = dialect.createDriver.bind(dialect);
    dialect.createDriver = () => {
      // A new pool: the one before is closed.
      this.#checkOut = undefined;
      return this.#gateDriver(createDriver());
    };
    return dialect;
  }

  #gateDriver(driver: Driver): Driver {
    const acquire = driver.acquireConnection.bind(driver);
    driver.acquireConnection = async (options) => {
      const verdict = this.#admit();
      const connection = await this.#open(() => acquire(options), verdict);
      if (verdict === 'try') await this.#try(connection, driver);
      return connection;
    };
    const rollback = driver.rollbackTransaction.bind(driver);
    driver.rollbackTransaction = async (connection) => {
      // Undone already, by the server's end of it. Kysely gives a connection back only after a rollback that succeeded.
      if (!this.#lost.has(connection)) await rollback(connection).catch((error) => this.#unlessLost(connection, error));
    };
    return driver;
  }

  /** @throws {ShardUnavailableError} while the shard is left alone */
  #admit(): Exclude<Verdict, 'stay'> {
    const verdict = this.#breaker.admit();
    if (verdict !== 'stay') return verdict;
    throw this.#leftAlone();
  }

  #leftAlone(): ShardUnavailableError {
    const { retryAfterMs } = this.#breaker;
    return new ShardUnavailableError(this.shardId, 'it failed several times and is left alone', { retryAfterMs });
  }

  async #open(acquire: () => Promise<DatabaseConnection>, verdict: 'go' | 'try'): Promise<DatabaseConnection> {
    try {
      return this.#watch(await acquire());
    } catch (error) {
      // That all connections are in use is our doing: it says nothing of the shard.
      if (error instanceof PoolExhaustedError) {
        if (verdict === 'try') this.#breaker.gaveUp();
      } else if (verdict === 'try' || isUnavailable(error)) this.#breaker.failed(verdict);
      throw this.#named(error);
    }
  }

  /** Takes a connection from the pool when it is one's turn: standing in line is not the shard's time. */
  async #takeInTime(
    take: () => Promise<DatabaseConnection>,
    release: (connection: DatabaseConnection) => Promise<void>,
  ): Promise<DatabaseConnection> {
    const { connectMs } = this.patience;
    // It failed others while we stood in line.
    if (this.#breaker.state === 'open') throw this.#leftAlone();
    const checkOut = await this.#watchPool();
    const opening = checkOut(take);
    const { taken, cut } = await within(opening, connectMs, () => {
      // Whoever waited is gone: what comes late goes back.
      opening.then(({ taken }) => release(taken)).catch(() => undefined);
      return this.#silent(connectMs);
    });
    this.#cuts.set(taken, cut);
    return taken;
  }

  /** Made at the first check-out: there is no pool before. */
  async #watchPool(): Promise<ReturnType<Wire['watch']>> {
    if (this.#checkOut) return this.#checkOut;
    const gated = this.connection as unknown as Gated;
    const pool = await runInSystemFrame('watch the pool', () => gated.getNativeClient());
    this.#checkOut ??= this.wire.watch(pool);
    return this.#checkOut;
  }

  /** After a pause, a server that lets one connect still has to show that it answers. */
  async #try(connection: DatabaseConnection, driver: Driver): Promise<void> {
    try {
      const asking = connection.executeQuery(CompiledQuery.raw('select 1'));
      await within(asking, this.patience.connectMs, () => {
        this.#lose(connection);
        return this.#silent(this.patience.connectMs);
      });
    } catch (error) {
      this.#breaker.failed('try');
      // Whatever it is that keeps it from answering, this connection has not answered.
      this.#lose(connection);
      await driver.releaseConnection(connection);
      throw this.#named(error);
    }
  }

  #watch(connection: DatabaseConnection): DatabaseConnection {
    // Pools give the same object again and again.
    if (this.#watched.has(connection)) return connection;
    this.#watched.add(connection);
    const { executeQuery, streamQuery } = connection;
    connection.executeQuery = (query, options) =>
      this.#send(connection, () => executeQuery.call(connection, query, options) as never);
    const send = this.#send.bind(this);
    connection.streamQuery = async function* gated(query, chunkSize, options) {
      const rows = streamQuery.call(connection, query, chunkSize, options)[Symbol.asyncIterator]();
      try {
        for (;;) {
          const next = await send(connection, () => rows.next());
          if (next.done) return;
          yield next.value as never;
        }
      } finally {
        await rows.return?.();
      }
    };
    return connection;
  }

  async #send<T>(connection: DatabaseConnection, statement: () => Promise<T>): Promise<T> {
    const { answerMs } = this.patience;
    try {
      const answering = statement();
      const answer = await (isBoundedCall() ? within(answering, answerMs, () => this.#silent(answerMs)) : answering);
      this.#breaker.succeeded();
      return answer;
    } catch (error) {
      if (isUnavailable(error) && !isOtherDatabase(error)) this.#lose(connection);
      throw this.#named(error);
    }
  }

  /** One connection is one failure, however many statements were meant for it. */
  #lose(connection: DatabaseConnection): void {
    if (this.#lost.has(connection)) return;
    this.#lost.add(connection);
    this.#breaker.failed();
    this.#cuts.get(connection)?.();
  }

  #unlessLost(connection: DatabaseConnection, error: unknown): void {
    if (!this.#lost.has(connection)) throw error;
  }

  #silent(milliseconds: number): ShardUnavailableError {
    return new ShardUnavailableError(this.shardId, `no answer within ${milliseconds} ms`);
  }

  #named(error: unknown): unknown {
    return toShardError(this.shardId, error, this.#breaker.retryAfterMs);
  }
}

/** On MySQL a statement may name another database; that it is not there says nothing of the server. */
function isOtherDatabase(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ER_BAD_DB_ERROR';
}

/** What `work` gives, or the error that `giveUp` makes when it takes longer. */
async function within<T>(work: Promise<T>, milliseconds: number, giveUp: () => Error): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  let isOver = false;
  const tooLate = () => {
    if (!isOver) reject(giveUp());
  };
  // A process that was busy reads first what has come meanwhile: its own delay is not the other's.
  const timer = setTimeout(() => setImmediate(tooLate), milliseconds);
  // Nobody listens to it any more once the other has won.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    isOver = true;
    clearTimeout(timer);
  }
}
