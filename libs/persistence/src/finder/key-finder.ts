import { type EntityMetadata, type EntityProperty, EventType, helper } from '@mikro-orm/core';
import type { AbstractSqlConnection, AbstractSqlDriver, QueryBuilder, SqlEntityManager } from '@mikro-orm/sql';
import { CompiledQuery, type Kysely } from 'kysely';
import type { Engine } from '../engines/engine.js';
import { readFrom } from '../engines/replica-reads.js';
import type { DriverRow } from '../paging/row-columns.js';
import { EntityMaker } from './entity-maker.js';
import type { StoredState } from './stored-state.js';

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
  /** By the value that tells the class of a row. `null`: left to MikroORM. */
  readonly #makers = new Map<unknown, EntityMaker | null>();

  private constructor(
    private readonly meta: EntityMetadata,
    private readonly driver: AbstractSqlDriver,
    private readonly query: QueryBuilder<object>,
    /** What stands between one naming of the schema and the next; one part when there is none. */
    private readonly sql: readonly string[],
    private readonly slots: readonly Slot[],
    /** Name of what tells the class of a row, where there are several. */
    private readonly kindColumn: string | undefined,
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
    return complete && !isOpen
      ? new KeyFinder(meta, driver, query, parts, slots, kindColumnOf(meta, query))
      : undefined;
  }

  /** The entity, managed by `em`; `null` when there is no such row. */
  async find(em: SqlEntityManager, key: KeyValues, options?: KeyFindOptions): Promise<object | null> {
    const row = await this.#read(em, key, options);
    if (!row) return null;
    const entity = this.#make(em, row);
    const wrapped = helper(entity);
    wrapped.setSerializationContext({ populate: [] } as never);
    if (em.getEventManager().hasListeners(EventType.onLoad, wrapped.__meta)) {
      await em.getUnitOfWork(false).dispatchOnLoadEvent();
    }
    return entity;
  }

  #make(em: SqlEntityManager, row: DriverRow): object {
    const kind = this.kindColumn === undefined ? undefined : row[this.kindColumn];
    const maker = this.#makers.get(kind);
    return maker?.make(em, row) ?? this.#makeByMikroOrm(em, row, maker === undefined && { kind });
  }

  /** @param lesson  the kind of row that is seen for the first time */
  #makeByMikroOrm(em: SqlEntityManager, row: DriverRow, lesson: { readonly kind: unknown } | false): object {
    const { meta, query } = this;
    const { schema } = em;
    // It changes what it is given.
    const state = this.driver.mapResult({ ...row }, meta, [], query) as StoredState;
    const options = { merge: true, schema, convertCustomTypes: true };
    const entity = em.getEntityFactory().create(meta.class, { ...state }, options) as object;
    if (lesson) this.#makers.set(lesson.kind, EntityMaker.learn(em, { query, meta }, { row, state, entity }) ?? null);
    return entity;
  }

  #sqlFor({ schema }: SqlEntityManager): string {
    return this.sql.join(schema === undefined ? '' : this.driver.getPlatform().quoteIdentifier(schema));
  }

  async #read(em: SqlEntityManager, key: KeyValues, options?: KeyFindOptions): Promise<DriverRow | undefined> {
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
      return row as DriverRow | undefined;
    };
    try {
      return await readFrom(this.driver, isReplicaPreferred ? 'read' : 'write', run);
    } catch (error) {
      throw this.driver.convertException(error as Error);
    }
  }
}

function kindColumnOf({ root, allTPTDescendants }: EntityMetadata, query: QueryBuilder<object>): string | undefined {
  if (root.inheritanceType === 'tpt') {
    return allTPTDescendants?.length ? `${query.alias}__${root.tptDiscriminatorColumn}` : undefined;
  }
  return root.inheritanceType === 'sti'
    ? (root.properties[root.discriminatorColumn as never] as EntityProperty | undefined)?.fieldNames[0]
    : undefined;
}

/** MikroORM's text with placeholders as the driver below takes them. A question mark inside quotes is none. */
function withPlaceholders(sql: string, { bulk }: Engine): { sql: string; count: number } {
  const bound = bulk.bindValues();
  const text = sql.replace(QUOTED_OR_PLACEHOLDER, (part) => (part === '?' ? bound.bind(undefined) : part));
  return { sql: text, count: bound.parameters.length };
}
