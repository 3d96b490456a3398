import { type EntityMetadata, type EntityProperty, EventType, helper } from '@mikro-orm/core';
import type { AbstractSqlDriver, QueryBuilder, SqlEntityManager } from '@mikro-orm/sql';
import type { Engine } from '../engines/engine.js';
import { KeptStatement, type SendOptions } from '../engines/kept-statement.js';
import type { DriverRow } from '../paging/row-columns.js';
import { EntityMaker } from './entity-maker.js';
import type { StoredState } from './stored-state.js';

/** A primary key, by property. */
export type KeyValues = Readonly<Record<string, string | number>>;

/** What MikroORM builds its reads with. Private in its types; the contract suite pins what is used of it. */
interface QueryMaker {
  createQueryBuilderFromOptions(meta: EntityMetadata, where: object, options: object): Promise<QueryBuilder<object>>;
}

/** Stands for the schema of the EntityManager while a statement is built. */
const SCHEMA = 'rowhouse_any_schema';

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
    private readonly statement: KeptStatement,
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
    const statement = KeptStatement.of(query, markers, driver, engine, inSchema ? SCHEMA : undefined);
    return statement && new KeyFinder(meta, driver, query, statement, kindColumnOf(meta, query));
  }

  /** The entity, managed by `em`; `null` when there is no such row. */
  async find(em: SqlEntityManager, key: KeyValues, options?: SendOptions): Promise<object | null> {
    const [row] = (await this.statement.read(em, key, options)) as DriverRow[];
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
}

function kindColumnOf({ root, allTPTDescendants }: EntityMetadata, query: QueryBuilder<object>): string | undefined {
  if (root.inheritanceType === 'tpt') {
    return allTPTDescendants?.length ? `${query.alias}__${root.tptDiscriminatorColumn}` : undefined;
  }
  return root.inheritanceType === 'sti'
    ? (root.properties[root.discriminatorColumn as never] as EntityProperty | undefined)?.fieldNames[0]
    : undefined;
}
