import { type EntityClass, TableExistsException } from '@mikro-orm/core';
import type { AbstractSqlConnection } from '@mikro-orm/sql';
import {
  type ConnectionInside,
  type Engine,
  getEngine,
  type OrmOverrides,
  ormOptions,
  type PoolOptions,
} from '#libs/persistence';
import { ShardRegistry } from '#libs/sharding';
import {
  GuardedEntityManager,
  guardedDriver,
  leaveSchemaOpen,
  type OrmRequest,
  placementOf,
  type StatementGuardOptions,
  TenantDatabases,
  type TenantOrm,
  tenantSettings,
} from '#libs/tenancy';
import { StatementLog } from '../databases/statement-log.js';

/** How the databases of a spec are set up beyond their entities. */
export interface TestTenantDatabasesOptions {
  readonly entities: readonly EntityClass[];
  /** Size of each pool; default one connection, so that tenants who share a pool share it truly. */
  readonly pool?: PoolOptions;
  readonly overrides?: OrmOverrides;
}

/** One shard, without migrations: tables are made from the entities. */
export class TestTenantDatabases extends TenantDatabases {
  readonly shards: ShardRegistry;
  /** Hears every statement to any place that `open` opened. */
  readonly statements = new StatementLog();

  constructor(
    private readonly url: string,
    private readonly options: TestTenantDatabasesOptions,
  ) {
    super();
    const holds: StatementGuardOptions['holds'] = (tenant) => placementOf(tenant)?.strategy === 'row';
    this.shards = new ShardRegistry({
      shards: [{ id: 'shard-1', url }],
      ormOptions: () => this.#ormOptions(url, { holds }, options.pool),
    });
  }

  engine(): Engine {
    return getEngine(this.url);
  }

  shared(shardId: string): TenantOrm {
    return this.shards.get(shardId);
  }

  open(shardId: string, request: OrmRequest): TenantOrm {
    const { name, tables, guard, pool } = request;
    const { url, options } = this.#target(request);
    const given = this.#ormOptions(url, guard ?? {}, this.options.pool ?? pool, tables === 'on the search path');
    const inSchemas = tables === 'in schemas';
    const ormOptions = {
      ...given,
      ...options,
      driverOptions: { ...given.driverOptions, ...options.driverOptions },
      discovery: inSchemas ? { ...given.discovery, onMetadata: leaveSchemaOpen } : given.discovery,
    };
    const orm = this.shards.createBeside(shardId, { name, url, model: inSchemas ? 'schemas' : undefined, ormOptions });
    this.statements.listenTo(orm.em.getConnection() as AbstractSqlConnection);
    return orm;
  }

  close(orm: TenantOrm): Promise<void> {
    return this.shards.closeBeside(orm);
  }

  async migrate(orm: TenantOrm, schema?: string): Promise<readonly string[]> {
    try {
      await orm.schema.create(schema === undefined ? {} : { schema });
      return ['created'];
    } catch (error) {
      if (error instanceof TableExistsException) return [];
      throw error;
    }
  }

  databaseUrl(_shardId: string, databaseName: string): string {
    return this.engine().places.databaseUrl(this.url, databaseName);
  }

  #target({ databaseName, insideSchema }: OrmRequest): ConnectionInside {
    const { places } = this.engine();
    if (databaseName !== undefined) {
      return { url: places.databaseUrl(this.url, databaseName), options: { driverOptions: places.mustExist } };
    }
    if (insideSchema !== undefined && places.schemas) return places.schemas.inside(this.url, insideSchema);
    return { url: this.url, options: { driverOptions: places.recycleConnections } };
  }

  #ormOptions(url: string, guard: StatementGuardOptions, pool: PoolOptions = { max: 1 }, searchesPath = false) {
    const { entities, overrides } = this.options;
    const engine = getEngine(url);
    const settings = engine.carry?.(tenantSettings(undefined, searchesPath));
    const walls = { ...settings, entityManager: GuardedEntityManager, driver: guardedDriver(engine, guard) };
    return ormOptions(url, { entities: [...entities], ...walls, ...overrides }, pool);
  }
}
