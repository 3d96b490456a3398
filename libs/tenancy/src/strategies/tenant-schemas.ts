import { DeadlockException } from '@mikro-orm/core';
import type { ContextTenant } from '#libs/context';
import { type PlaceDialect, runInSystemFrame } from '#libs/persistence';
import { PlacementUnavailableError } from '../errors/placement-unavailable.error.js';
import type { Placement } from '../placement.js';
import { placementOf } from '../placement-of.js';
import { asKit } from './as-kit.js';
import { assertPlaceName } from './place-name.js';
import { hearStatements, PlaceTemplate } from './place-template.js';
import type { TenantDatabases, TenantOrm } from './tenant-databases.js';

type Schemas = NonNullable<PlaceDialect['schemas']>;

const DROP_ATTEMPTS = 5;

/** The schemas of tenants on all shards: one instance of MikroORM per shard whose tables lie in a schema named per call. */
export class TenantSchemas {
  readonly #orms = new Map<string, TenantOrm>();
  readonly #templates = new Map<string, PlaceTemplate>();

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

  /** The first of a shard is migrated step by step, all others are made in one; what comes out is the same. */
  async create(placement: Placement): Promise<void> {
    const { shardId } = placement;
    const template = this.#templates.get(shardId);
    const isNew = await this.#make(placement, template);
    if (isNew && template) return;
    const heard = await this.#migrate(placement);
    if (!isNew) return;
    const made = PlaceTemplate.of(placement, heard.statements);
    if (made) this.#templates.set(shardId, made);
  }

  /** @throws {PlacementUnavailableError} when it is missing: to make an empty one now would hide that its rows are lost */
  async migrate(placement: Placement): Promise<readonly string[]> {
    const found = await this.#send(placement, ({ find }, name, send) => send(find(name)));
    if (found.length === 0) throw new PlacementUnavailableError(placement.tenantId);
    return (await this.#migrate(placement)).ran;
  }

  /** Work in the background may hold some of its tables while others are taken: the server then ends one of the two. */
  async drop(placement: Placement): Promise<void> {
    const { driver } = this.orm(placement.shardId);
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#send(placement, ({ drop }, name, send) => send(drop(name)));
        return;
      } catch (error) {
        const isDeadlock = driver.convertException(error as Error) instanceof DeadlockException;
        if (!isDeadlock || attempt === DROP_ATTEMPTS) throw error;
      }
    }
  }

  /** @returns whether it is new for certain */
  #make(placement: Placement, template: PlaceTemplate | undefined): Promise<boolean> {
    return this.#send(placement, async (schemas, name, send) => {
      if (schemas.createFilled) return schemas.createFilled(name, template?.statementsFor(name) ?? [], send);
      await send(schemas.create(name));
      return false;
    });
  }

  async #migrate(
    placement: Placement,
  ): Promise<{ ran: readonly string[]; statements: readonly (string | undefined)[] }> {
    const { shardId, schemaName } = placement;
    assertPlaceName(schemaName);
    // Inside the schema from the first byte: a migration may read before it writes, and must not read others' rows.
    const orm = this.databases.open(shardId, {
      name: `migrate ${schemaName}`,
      tables: 'in schemas',
      insideSchema: schemaName,
      pool: { max: 1 },
    });
    const statements = hearStatements(orm);
    try {
      const migrate = () => this.databases.migrate(orm, schemaName);
      return { ran: await asKit(placement, `migrate ${schemaName}`, migrate), statements };
    } finally {
      await this.databases.close(orm);
    }
  }

  async #send<T>(
    { shardId, schemaName }: Placement,
    work: (dialect: Schemas, name: string, send: (sql: string) => Promise<unknown[]>) => Promise<T>,
  ): Promise<T> {
    assertPlaceName(schemaName);
    const { schemas } = this.databases.engine(shardId).places;
    if (!schemas) throw new TypeError(`Shard "${shardId}" has no schemas.`);
    const connection = this.orm(shardId).driver.getConnection();
    return runInSystemFrame('look after a schema', () =>
      work(schemas, schemaName, (sql) => connection.execute<unknown[]>(sql)),
    );
  }
}

/** Where the guard expects a tenant's tables: nowhere, when its placement says something else. */
function schemaOf(tenant: ContextTenant, shardId: string): string | undefined {
  const placement = placementOf(tenant);
  return placement?.strategy === 'schema' && placement.shardId === shardId ? placement.schemaName : undefined;
}
