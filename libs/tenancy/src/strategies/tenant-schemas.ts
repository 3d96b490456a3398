import type { ContextTenant } from '#libs/context';
import { type PlaceDialect, runInSystemFrame } from '#libs/persistence';
import { PlacementUnavailableError } from '../errors/placement-unavailable.error.js';
import type { Placement } from '../placement.js';
import { placementOf } from '../placement-of.js';
import { asKit } from './as-kit.js';
import { assertPlaceName } from './place-name.js';
import type { TenantDatabases, TenantOrm } from './tenant-databases.js';

type Schemas = NonNullable<PlaceDialect['schemas']>;

/** The schemas of tenants on all shards: one instance of MikroORM per shard whose tables lie in a schema named per call. */
export class TenantSchemas {
  readonly #orms = new Map<string, TenantOrm>();

  constructor(private readonly databases: TenantDatabases) {}

  /** The instance for the schemas of a shard, made at first use. */
  orm(shardId: string): TenantOrm {
    let orm = this.#orms.get(shardId);
    if (!orm) {
      orm = this.databases.open(shardId, {
        name: 'schemas',
        tables: 'in schemas',
        guard: { schemaOf: (tenant) => schemaOf(tenant, shardId) },
      });
      this.#orms.set(shardId, orm);
    }
    return orm;
  }

  async create(placement: Placement): Promise<void> {
    await this.#send(placement, ({ create }, name) => create(name));
    await this.migrate(placement);
  }

  /** @throws {PlacementUnavailableError} when it is missing: to make an empty one now would hide that its rows are lost */
  async migrate(placement: Placement): Promise<readonly string[]> {
    const { tenantId, shardId, schemaName } = placement;
    assertPlaceName(schemaName);
    const found = await this.#send(placement, ({ find }, name) => find(name));
    if (found.length === 0) throw new PlacementUnavailableError(tenantId);
    // Inside the schema from the first byte: a migration may read before it writes, and must not read others' rows.
    const orm = this.databases.open(shardId, {
      name: `migrate ${schemaName}`,
      tables: 'in schemas',
      insideSchema: schemaName,
      pool: { max: 1 },
    });
    try {
      return await asKit(placement, `migrate ${schemaName}`, () => this.databases.migrate(orm, schemaName));
    } finally {
      await this.databases.close(orm);
    }
  }

  async drop(placement: Placement): Promise<void> {
    await this.#send(placement, ({ drop }, name) => drop(name));
  }

  async #send(
    { shardId, schemaName }: Placement,
    sqlOf: (dialect: Schemas, name: string) => string,
  ): Promise<readonly unknown[]> {
    assertPlaceName(schemaName);
    const { schemas } = this.databases.engine(shardId).places;
    if (!schemas) throw new TypeError(`Shard "${shardId}" has no schemas.`);
    const connection = this.orm(shardId).driver.getConnection();
    return runInSystemFrame('look after a schema', () => connection.execute(sqlOf(schemas, schemaName)));
  }
}

/** Where the guard expects a tenant's tables: nowhere, when its placement says something else. */
function schemaOf(tenant: ContextTenant, shardId: string): string | undefined {
  const placement = placementOf(tenant);
  return placement?.strategy === 'schema' && placement.shardId === shardId ? placement.schemaName : undefined;
}
