import type { AbstractSqlConnection, AbstractSqlDriver, QueryBuilder, SqlEntityManager } from '@mikro-orm/sql';
import { CompiledQuery, type Kysely } from 'kysely';
import type { Engine } from './engine.js';
import { readFrom } from './replica-reads.js';

/** What is left open while a query is built: the text that stands for a value, and the name of the value. */
export type Markers = ReadonlyMap<unknown, string>;

/** A value of the statement: what the caller names so, or always the same. */
type Slot = { readonly name: string } | { readonly constant: unknown };

/** How a read may be called off: Kysely's options, see `inflightQueryAbortStrategy` of MikroORM. */
export interface SendOptions {
  readonly signal?: AbortSignal;
  readonly inflightQueryAbortStrategy?: 'ignore query' | 'cancel query' | 'kill session';
}

/** Sends a query and reports it to MikroORM's logger. Protected in its types. */
interface LoggingConnection {
  executeQuery<T>(sql: string, send: () => Promise<T>, context: object): Promise<T>;
}

const QUOTED_OR_PLACEHOLDER = /'(?:[^']|'')*'|"[^"]*"|`[^`]*`|\?/g;

/**
 * A read that MikroORM has built once, to be sent again and again with other values. MikroORM would build, format and let the
 * database parse a new statement each time, values and all. It takes the way of every other one: in the transaction when there
 * is one, past session hooks, the guard and the log.
 */
export class KeptStatement {
  private constructor(
    private readonly driver: AbstractSqlDriver,
    /** What stands between one naming of an open schema and the next; one part when there is none. */
    private readonly parts: readonly string[],
    private readonly slots: readonly Slot[],
  ) {}

  /**
   * @param openSchema  a schema's name in the query that stands for the EntityManager's, whichever it is
   * @returns `undefined` when a marker did not arrive among the values, or the schema stands where it cannot be replaced
   */
  static of(
    query: QueryBuilder<object>,
    markers: Markers,
    driver: AbstractSqlDriver,
    engine: Engine,
    openSchema?: string,
  ): KeptStatement | undefined {
    const { sql, params } = query.toQuery();
    const slots = params.map((param): Slot => {
      const name = markers.get(param);
      return name === undefined ? { constant: param } : { name };
    });
    const text = withPlaceholders(sql, engine);
    const parts =
      openSchema === undefined ? [text.sql] : text.sql.split(driver.getPlatform().quoteIdentifier(openSchema));
    const named = new Set(slots.flatMap((slot) => ('name' in slot ? slot.name : [])));
    const isComplete = named.size === markers.size && text.count === slots.length;
    const isOpen = openSchema !== undefined && parts.some((part) => part.includes(openSchema));
    return isComplete && !isOpen ? new KeptStatement(driver, parts, slots) : undefined;
  }

  /** Values that are always the same. */
  get constants(): readonly unknown[] {
    return this.slots.flatMap((slot) => ('constant' in slot ? [slot.constant] : []));
  }

  /** The rows as the driver gives them. */
  async read(
    em: SqlEntityManager,
    values: Readonly<Record<string, unknown>>,
    options?: SendOptions,
  ): Promise<Record<string, unknown>[]> {
    const { driver } = this;
    const transaction = em.getTransactionContext<Kysely<unknown>>();
    const isReplicaPreferred = !transaction && em.config.get('preferReadReplicas');
    const params = this.slots.map((slot) => ('name' in slot ? values[slot.name] : slot.constant));
    const sql = em.config.get('onQuery')(this.#sqlFor(em), params);
    const run = async (connection: AbstractSqlConnection) => {
      await connection.ensureConnection();
      const client = transaction ?? connection.getClient();
      const send = async () => (await client.executeQuery(CompiledQuery.raw(sql, params), options)).rows;
      const logging = connection as unknown as LoggingConnection;
      return (await logging.executeQuery(sql, send, { id: em.id, params })) as Record<string, unknown>[];
    };
    try {
      return await readFrom(driver, isReplicaPreferred ? 'read' : 'write', run);
    } catch (error) {
      throw driver.convertException(error as Error);
    }
  }

  #sqlFor({ schema }: SqlEntityManager): string {
    const { parts } = this;
    if (parts.length === 1) return parts[0] as string;
    return parts.join(schema === undefined ? '' : this.driver.getPlatform().quoteIdentifier(schema));
  }
}

/** MikroORM's text with placeholders as the driver below takes them. A question mark inside quotes is none. */
function withPlaceholders(sql: string, { bulk }: Engine): { sql: string; count: number } {
  const bound = bulk.bindValues();
  const text = sql.replace(QUOTED_OR_PLACEHOLDER, (part) => (part === '?' ? bound.bind(undefined) : part));
  return { sql: text, count: bound.parameters.length };
}
