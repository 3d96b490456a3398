import { type EntityData, type EntityMetadata, helper } from '@mikro-orm/core';
import type { AbstractSqlConnection, AbstractSqlDriver, QueryBuilder, SqlEntityManager } from '@mikro-orm/sql';
import { CompiledQuery, type Kysely } from 'kysely';
import type { Engine } from '../engines/engine.js';
import { readFrom } from '../engines/replica-reads.js';

/** A value of the statement: the key property of this name, or always the same (a discriminator). */
type Slot = { readonly key: string } | { readonly constant: unknown };

/** A primary key, by property. */
export type KeyValues = Readonly<Record<string, string | number>>;

/** How a read may be called off: Kysely's options, see `inflightQueryAbortStrategy` of MikroORM. */
export interface KeyFindOptions {
  readonly signal?: AbortSignal;
  readonly inflightQueryAbortStrategy?: 'ignore query' | 'cancel query' | 'kill session';
}

/** What MikroORM builds its reads with. Private in its types; the contract suite pins what is used of it. */
interface QueryMaker {
  createQueryBuilderFromOptions(meta: EntityMetadata, where: object, options: object): Promise<QueryBuilder<object>>;
}

/** Sends a query and reports it to MikroORM's logger. Protected in its types. */
interface LoggingConnection {
  executeQuery<T>(sql: string, send: () => Promise<T>, context: object): Promise<T>;
}

/** Stands for the schema of the EntityManager while a statement is built. */
const SCHEMA = 'rowhouse_any_schema';

const QUOTED_OR_PLACEHOLDER = /'(?:[^']|'')*'|"[^"]*"|`[^`]*`|\?/g;

/**
 * Reads one row of one entity by its primary key. MikroORM builds, formats and lets the database parse a new statement for
 * each `findOne`, values and all; here it builds the statement once, and from then on only its values change. Rows become
 * entities by MikroORM's own hands, so that they are managed like any other.
 */
export class KeyFinder {
  private constructor(
    private readonly meta: EntityMetadata,
    private readonly driver: AbstractSqlDriver,
    private readonly query: QueryBuilder<object>,
    /** What stands between one naming of the schema and the next; one part when there is none. */
    private readonly sql: readonly string[],
    private readonly slots: readonly Slot[],
  ) {}

  /**
   * @param inSchema  for EntityManagers that look for tables in a schema of their own, whichever it is
   * @returns `undefined` when the statement holds something that this class would put in the wrong place
   */
  static async compile(
    meta: EntityMetadata,
    driver: AbstractSqlDriver,
    engine: Engine,
    inSchema: boolean,
  ): Promise<KeyFinder | undefined> {
    const markers = new Map(meta.primaryKeys.map((key): [string, string] => [`:${key}:`, key]));
    const where = Object.fromEntries([...markers].map(([marker, key]) => [key, marker]));
    const maker = driver as unknown as QueryMaker;
    const query = await maker.createQueryBuilderFromOptions(meta, where, {
      populate: [],
      orderBy: [],
      ...(inSchema ? { schema: SCHEMA } : {}),
    });
    const { sql, params } = query.toQuery();
    const slots = params.map((param): Slot => {
      const key = markers.get(param as string);
      return key === undefined ? { constant: param } : { key };
    });
    const text = withPlaceholders(sql, engine);
    const parts = text.sql.split(driver.getPlatform().quoteIdentifier(SCHEMA));
    const complete = slots.filter((slot) => 'key' in slot).length === markers.size && text.count === slots.length;
    const isOpen = parts.some((part) => part.includes(SCHEMA));
    return complete && !isOpen ? new KeyFinder(meta, driver, query, parts, slots) : undefined;
  }

  /** The entity, managed by `em`; `null` when there is no such row. */
  async find(em: SqlEntityManager, key: KeyValues, options?: KeyFindOptions): Promise<object | null> {
    const row = await this.#read(em, key, options);
    const data = row && this.driver.mapResult(row, this.meta, [], this.query);
    if (!data) return null;
    const { schema } = em;
    const entity = em
      .getEntityFactory()
      .create(this.meta.class, data, { merge: true, schema, convertCustomTypes: true }) as object;
    helper(entity).setSerializationContext({ populate: [] } as never);
    await em.getUnitOfWork().dispatchOnLoadEvent();
    return entity;
  }

  #sqlFor({ schema }: SqlEntityManager): string {
    return this.sql.join(schema === undefined ? '' : this.driver.getPlatform().quoteIdentifier(schema));
  }

  async #read(em: SqlEntityManager, key: KeyValues, options?: KeyFindOptions): Promise<EntityData<object> | undefined> {
    const transaction = em.getTransactionContext<Kysely<unknown>>();
    const isReplicaPreferred = !transaction && em.config.get('preferReadReplicas');
    const params = this.slots.map((slot) => ('key' in slot ? key[slot.key] : slot.constant));
    const sql = em.config.get('onQuery')(this.#sqlFor(em), params);
    const run = async (connection: AbstractSqlConnection) => {
      await connection.ensureConnection();
      const client = transaction ?? connection.getClient();
      const send = async () => (await client.executeQuery(CompiledQuery.raw(sql, params), options)).rows;
      const logging = connection as unknown as LoggingConnection;
      const [row] = await logging.executeQuery(sql, send, { id: em.id, params });
      return row as EntityData<object> | undefined;
    };
    try {
      return await readFrom(this.driver, isReplicaPreferred ? 'read' : 'write', run);
    } catch (error) {
      throw this.driver.convertException(error as Error);
    }
  }
}

/** MikroORM's text with placeholders as the driver below takes them. A question mark inside quotes is none. */
function withPlaceholders(sql: string, { bulk }: Engine): { sql: string; count: number } {
  const bound = bulk.bindValues();
  const text = sql.replace(QUOTED_OR_PLACEHOLDER, (part) => (part === '?' ? bound.bind(undefined) : part));
  return { sql: text, count: bound.parameters.length };
}
