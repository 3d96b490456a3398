import type { EntityClass } from '@mikro-orm/core';
import { type Engine, getEngine, type OrmOverrides, ormOptions, type PoolOptions } from '#libs/persistence';
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
} from '#libs/tenancy';

const SHARED = new Set<unknown>(['row', 'search-path']);

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

  constructor(
    private readonly url: string,
    private readonly options: TestTenantDatabasesOptions,
  ) {
    super();
    const holds: StatementGuardOptions['holds'] = (tenant) => SHARED.has(placementOf(tenant)?.strategy);
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

  open(shardId: string, { name, databaseName, inSchemas, guard, pool }: OrmRequest): TenantOrm {
    const url = databaseName === undefined ? this.url : this.databaseUrl(shardId, databaseName);
    const given = this.#ormOptions(url, guard ?? {}, this.options.pool ?? pool);
    const driverOptions = databaseName === undefined ? {} : this.engine().places.mustExist;
    const discovery = inSchemas ? { ...given.discovery, onMetadata: leaveSchemaOpen } : given.discovery;
    const model = inSchemas ? 'schemas' : undefined;
    return this.shards.createBeside(shardId, { name, url, model, ormOptions: { ...given, driverOptions, discovery } });
  }

  close(orm: TenantOrm): Promise<void> {
    return this.shards.closeBeside(orm);
  }

  async migrate(orm: TenantOrm, schema?: string): Promise<readonly string[]> {
    await orm.schema.create(schema === undefined ? {} : { schema });
    return ['created'];
  }

  databaseUrl(_shardId: string, databaseName: string): string {
    return this.engine().places.databaseUrl(this.url, databaseName);
  }

  #ormOptions(url: string, guard: StatementGuardOptions, pool: PoolOptions = { max: 1 }) {
    const { entities, overrides } = this.options;
    const walls = { entityManager: GuardedEntityManager, driver: guardedDriver(getEngine(url), guard) };
    return ormOptions(url, { entities: [...entities], ...walls, ...overrides }, pool);
  }
}
