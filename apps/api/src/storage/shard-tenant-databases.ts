import { Migrator } from '@mikro-orm/migrations';
import { Injectable } from '@nestjs/common';
import { AuditRecorder } from '#libs/audit';
import {
  type ConnectionInside,
  type Engine,
  engines,
  getEngine,
  type OrmOverrides,
  ormOptions,
} from '#libs/persistence';
import { ShardRegistry } from '#libs/sharding';
import { leaveSchemaOpen, type OrmRequest, RowSecurity, TenantDatabases, type TenantOrm } from '#libs/tenancy';
import { AppConfig } from '../config/app.config.js';
import { acquireMs } from './shard-registry.provider.js';
import { tenantOrmOptions } from './tenant-orm-options.js';

const { postgresql } = engines;

/** Where isolation strategies find their databases: on the shards. This is where tenancy and sharding meet. */
@Injectable()
export class ShardTenantDatabases extends TenantDatabases {
  constructor(
    private readonly config: AppConfig,
    private readonly shards: ShardRegistry,
    private readonly recorder: AuditRecorder,
  ) {
    super();
  }

  engine(shardId: string): Engine {
    return getEngine(this.#urlOf(shardId));
  }

  shared(shardId: string): TenantOrm {
    return this.shards.get(shardId);
  }

  open(shardId: string, request: OrmRequest): TenantOrm {
    const { name, tables, pool } = request;
    const { url, options } = this.#target(shardId, request);
    const overrides = this.#overrides(shardId, request);
    const given = {
      ...overrides,
      ...options,
      driverOptions: { ...overrides.driverOptions, ...options.driverOptions },
    };
    const { poolMax, shardTimeoutMs } = this.config;
    const acquireTimeoutMs = acquireMs(this.engine(shardId), shardTimeoutMs);
    const limits = { max: poolMax, acquireTimeoutMs, ...pool };
    const model = tables === 'in schemas' ? 'schemas' : undefined;
    return this.shards.createBeside(shardId, { name, url, model, ormOptions: ormOptions(url, given, limits) });
  }

  close(orm: TenantOrm): Promise<void> {
    return this.shards.closeBeside(orm);
  }

  async migrate(orm: TenantOrm, schema?: string): Promise<readonly string[]> {
    const ran = await new Migrator(orm.em).up();
    await this.#grant(orm, schema);
    return ran.map((migration) => migration.name);
  }

  databaseUrl(shardId: string, databaseName: string): string {
    const url = this.#urlOf(shardId);
    return getEngine(url).places.databaseUrl(url, databaseName);
  }

  /** On PostgreSQL requests run as a role that owns nothing, and may use what it was given. */
  async #grant(orm: TenantOrm, schema: string | undefined): Promise<void> {
    const { databaseRole: role } = this.config;
    if (role === undefined || !postgresql.runs(orm.driver)) return;
    await new RowSecurity(role).prepare({ id: schema ?? String(orm.config.get('dbName')), orm, schema });
  }

  /** Which database is opened, and how. */
  #target(shardId: string, { databaseName, insideSchema }: OrmRequest): ConnectionInside {
    const url = this.#urlOf(shardId);
    const { places } = getEngine(url);
    if (databaseName !== undefined) {
      return { url: places.databaseUrl(url, databaseName), options: { driverOptions: places.mustExist } };
    }
    if (insideSchema !== undefined && places.schemas) return places.schemas.inside(url, insideSchema);
    return { url, options: { driverOptions: places.recycleConnections } };
  }

  #overrides(shardId: string, { tables, guard }: OrmRequest): OrmOverrides {
    const { databaseRole: role } = this.config;
    const searchesPath = tables === 'on the search path';
    const overrides = tenantOrmOptions(this.engine(shardId), this.recorder, { role, guard, searchesPath });
    if (tables !== 'in schemas') return overrides;
    return {
      ...overrides,
      discovery: { ...overrides.discovery, onMetadata: leaveSchemaOpen },
      migrations: { ...overrides.migrations, includeWildcardSchema: true },
    };
  }

  #urlOf(shardId: string): string {
    return this.shards.definition(shardId).url;
  }
}
