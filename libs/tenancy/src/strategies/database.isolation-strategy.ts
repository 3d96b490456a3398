import { type PoolOptions, runInSystemFrame } from '#libs/persistence';
import type { Placement } from '../placement.js';
import { asKit } from './as-kit.js';
import { forkAlone } from './fork-alone.js';
import type { AppliedStrategy, IsolationStrategy, PlaceNames } from './isolation-strategy.js';
import { assertPlaceName, placeNameOf } from './place-name.js';
import { strategyEngines } from './strategy-engines.js';
import type { TenantDatabases } from './tenant-databases.js';
import { type Lease, TenantOrms } from './tenant-orms.js';

/** What the databases of single tenants may take of a process. */
export interface TenantDatabaseLimits {
  /** Databases open at once; the one unused for longest is closed to make room. Default 50. */
  readonly maxOpen?: number;
  /** Connections to each of them at once, on engines that are servers. Default 2. */
  readonly pool?: PoolOptions;
  /** How long a statement waits while all are in use, in milliseconds. Default 5 000. */
  readonly waitMs?: number;
}

/** A database per tenant, on the shard's server or in a file beside the shard's. */
export class DatabaseIsolationStrategy implements IsolationStrategy {
  readonly name = 'database';
  readonly engines = strategyEngines.database;
  readonly #orms: TenantOrms;
  readonly #pool: PoolOptions;

  constructor(
    private readonly databases: TenantDatabases,
    { maxOpen = 50, waitMs = 5_000, pool = { max: 2 } }: TenantDatabaseLimits = {},
  ) {
    this.#pool = pool;
    this.#orms = new TenantOrms({ max: maxOpen, waitMs, close: (orm) => databases.close(orm) });
  }

  /** Databases of single tenants that are open at this moment. */
  get open(): number {
    return this.#orms.open;
  }

  nameFor(tenantId: string): PlaceNames {
    return { databaseName: placeNameOf(tenantId) };
  }

  async provision(placement: Placement): Promise<void> {
    // An instance that was in use while it was missing has stopped asking for it.
    await this.#orms.forget(keyOf(placement));
    const { url, send } = this.#neighbour(placement);
    const { places } = this.databases.engine(placement.shardId);
    await runInSystemFrame('make a database', () => places.createDatabase(url, send));
    await this.migrate(placement);
  }

  async migrate(placement: Placement): Promise<readonly string[]> {
    const { orm, release } = this.#lease(placement);
    try {
      return await asKit(placement, `migrate ${placement.databaseName}`, async () => {
        // Fails when the database is missing: MikroORM's migrator would make an empty one, and hide that rows are lost.
        await orm.driver.getConnection().execute('select 1');
        return this.databases.migrate(orm);
      });
    } finally {
      release();
    }
  }

  apply(placement: Placement): AppliedStrategy {
    const { orm, release } = this.#lease(placement);
    return { entityManager: forkAlone(orm), revert: release };
  }

  async drop(placement: Placement): Promise<void> {
    await this.#orms.forget(keyOf(placement));
    const { url, send } = this.#neighbour(placement);
    const { places } = this.databases.engine(placement.shardId);
    await runInSystemFrame('drop a database', () => places.dropDatabase(url, send));
    // Background work may have opened it once more meanwhile. On SQLite a file that is gone would go on being served.
    await this.#orms.forget(keyOf(placement));
  }

  #lease(placement: Placement): Lease {
    const { tenantId, shardId, databaseName } = placement;
    assertPlaceName(databaseName);
    return this.#orms.lease(keyOf(placement), () =>
      this.databases.open(shardId, { name: databaseName, databaseName, guard: { tenantId }, pool: this.#pool }),
    );
  }

  /** The shard's own connection, which makes and drops databases beside its own. */
  #neighbour({ shardId, databaseName }: Placement) {
    assertPlaceName(databaseName);
    const connection = this.databases.shared(shardId).driver.getConnection();
    return {
      url: this.databases.databaseUrl(shardId, databaseName),
      send: (sql: string) => connection.execute(sql),
    };
  }
}

function keyOf({ shardId, databaseName }: Placement): string {
  return `${shardId}/${databaseName}`;
}
