import { Migrator } from '@mikro-orm/migrations';
import { Injectable } from '@nestjs/common';
import { AuditRecorder } from '#libs/audit';
import { type Engine, engines, getEngine, ormOptions } from '#libs/persistence';
import { ShardRegistry } from '#libs/sharding';
import { leaveSchemaOpen, type OrmRequest, RowSecurity, TenantDatabases, type TenantOrm } from '#libs/tenancy';
import { AppConfig } from '../config/app.config.js';
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

  open(shardId: string, { name, databaseName, tables, guard, pool }: OrmRequest): TenantOrm {
    const engine = this.engine(shardId);
    const url = databaseName === undefined ? this.#urlOf(shardId) : this.databaseUrl(shardId, databaseName);
    const searchesPath = tables === 'on the search path';
    const inSchemas = tables === 'in schemas';
    const { databaseRole: role } = this.config;
    const overrides = tenantOrmOptions(engine, this.recorder, { role, guard, searchesPath });
    const { places } = engine;
    const driverOptions = databaseName === undefined ? places.recycleConnections : places.mustExist;
    const given = {
      ...overrides,
      driverOptions: { ...overrides.driverOptions, ...driverOptions },
      ...(inSchemas && {
        discovery: { ...overrides.discovery, onMetadata: leaveSchemaOpen },
        migrations: { ...overrides.migrations, includeWildcardSchema: true },
      }),
    };
    const model = inSchemas ? 'schemas' : undefined;
    return this.shards.createBeside(shardId, { name, url, model, ormOptions: ormOptions(url, given, pool) });
  }

  close(orm: TenantOrm): Promise<void> {
    return this.shards.closeBeside(orm);
  }

  async migrate(orm: TenantOrm, schema?: string): Promise<readonly string[]> {
    // A migrator of its own: one that is shared cannot run twice at a time.
    const migrator = new Migrator(orm.em);
    const ran = await migrator.up({ schema });
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

  #urlOf(shardId: string): string {
    return this.shards.definition(shardId).url;
  }
}
