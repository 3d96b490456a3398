import { channel } from 'node:diagnostics_channel';
import { performance } from 'node:perf_hooks';
import type { AbstractSqlConnection } from '@mikro-orm/sql';
import type { CompiledQuery, DatabaseConnection } from 'kysely';
import { findContext } from '#libs/context';
import { patchDriver } from './patch-dialect.js';
import { withholdValues } from './withhold-values.js';

/** One statement that was sent, as far as it may be shown. */
export interface SentStatement {
  /** With a `?` for every value. */
  readonly sql: string;
  readonly ms: number;
  /** Rows that were read or changed; `undefined` when it failed or its rows are streamed. */
  readonly rows?: number;
  /** What the database said, when it refused. Its message may quote values, so only its code is here. */
  readonly error?: string;
  /** Name of the ORM: the shard's id, or `central`. */
  readonly database: string;
  readonly requestId?: string;
  readonly tenant?: string;
  readonly route?: string;
  /** Place in the code that asked for it, as far as the stack tells. */
  readonly caller?: string;
}

/** Everybody who listens here is told of every statement. Nothing is measured, and no stack is made, while nobody does. */
const STATEMENTS = channel('rowhouse:statement');

/** Calls `listener` for every statement of this process, of all ORMs, until the function it gives is called. */
export function watchStatements(listener: (statement: SentStatement) => void): () => void {
  const onMessage = (message: unknown) => listener(message as SentStatement);
  STATEMENTS.subscribe(onMessage);
  return () => STATEMENTS.unsubscribe(onMessage);
}

/** Frames of the way every statement takes; the first other one is who asked. */
const ON_THE_WAY =
  /node_modules|node:|libs\/testing\/src\/databases|libs\/(persistence|tenancy|sharding|audit)\/src\/(?!.*\.spec\.)/;

function callerOf(stack: string): string | undefined {
  const frame = stack.split('\n').find((line) => /^\s*at /.test(line) && !ON_THE_WAY.test(line));
  return frame && /((?:apps|libs|test|bench)\/[^)\s]+)/.exec(frame)?.[1];
}

/** Tells of the statements of one connection pool. */
export class StatementWatch {
  readonly #patched = new WeakSet<DatabaseConnection>();

  constructor(
    private readonly connection: AbstractSqlConnection,
    private readonly database: string,
    private readonly escapesBackslash: boolean,
  ) {}

  install(): void {
    patchDriver(this.connection, (driver) => {
      const acquire = driver.acquireConnection.bind(driver);
      driver.acquireConnection = async (options) => this.#watch(await acquire(options));
    });
  }

  #watch(connection: DatabaseConnection): DatabaseConnection {
    // Pools give the same object again and again.
    if (this.#patched.has(connection)) return connection;
    this.#patched.add(connection);
    const { executeQuery, streamQuery } = connection;
    const tell = this.#tell.bind(this);
    connection.executeQuery = function watched(query, options) {
      const sent = executeQuery.call(this, query, options);
      return (STATEMENTS.hasSubscribers ? tell(query, sent) : sent) as never;
    };
    connection.streamQuery = function watched(query, chunkSize, options) {
      if (STATEMENTS.hasSubscribers) void tell(query, Promise.resolve({}));
      return streamQuery.call(this, query, chunkSize, options) as never;
    };
    return connection;
  }

  async #tell<T extends { rows?: unknown[]; numAffectedRows?: bigint }>(
    { sql }: CompiledQuery,
    sent: Promise<T>,
  ): Promise<T> {
    const start = performance.now();
    const from = { stackTraceLimit: Error.stackTraceLimit };
    Error.stackTraceLimit = 50;
    const { stack = '' } = new Error('who asks');
    Error.stackTraceLimit = from.stackTraceLimit;
    const publish = (outcome: Pick<SentStatement, 'rows' | 'error'>) => {
      const context = findContext();
      STATEMENTS.publish({
        sql: withholdValues(sql, this.escapesBackslash),
        ms: Math.round((performance.now() - start) * 100) / 100,
        ...outcome,
        database: this.database,
        requestId: context?.requestId,
        tenant: context?.tenant?.slug,
        route: context?.route,
        caller: callerOf(stack),
      } satisfies SentStatement);
    };
    try {
      const result = await sent;
      publish({ rows: result.numAffectedRows === undefined ? result.rows?.length : Number(result.numAffectedRows) });
      return result;
    } catch (error) {
      const { code, errno } = error as { code?: unknown; errno?: unknown };
      publish({ error: String(code ?? errno ?? (error as Error).name) });
      throw error;
    }
  }
}
