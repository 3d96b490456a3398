import type { EngineName } from '#libs/persistence';
import { PlacementUnavailableError } from '../errors/placement-unavailable.error.js';
import { StrategyUnsupportedError } from '../errors/strategy-unsupported.error.js';
import type { IsolationStrategyName, Placement } from '../placement.js';
import { asKit } from './as-kit.js';
import { DatabaseIsolationStrategy, type TenantDatabaseLimits } from './database.isolation-strategy.js';
import type { AppliedStrategy, IsolationStrategy } from './isolation-strategy.js';
import { RowIsolationStrategy } from './row.isolation-strategy.js';
import { SchemaIsolationStrategy } from './schema.isolation-strategy.js';
import { SearchPathIsolationStrategy } from './search-path.isolation-strategy.js';
import type { TenantDatabases } from './tenant-databases.js';
import { TenantSchemas } from './tenant-schemas.js';

/** Every isolation strategy of a process, and the tenants whose places it cannot serve. */
export class IsolationStrategies {
  readonly #strategies: Readonly<Record<IsolationStrategyName, IsolationStrategy>>;
  /** Places whose tables could not be brought up to date. */
  readonly #behind = new Set<string>();
  /** By shard, whose product does not change: asked at every unit of work. */
  readonly #engines = new Map<string, EngineName>();

  constructor(
    private readonly databases: TenantDatabases,
    limits?: TenantDatabaseLimits,
  ) {
    const schemas = new TenantSchemas(databases);
    this.#strategies = {
      row: new RowIsolationStrategy(databases),
      schema: new SchemaIsolationStrategy(schemas),
      'search-path': new SearchPathIsolationStrategy(databases, schemas),
      database: new DatabaseIsolationStrategy(databases, limits),
    };
  }

  /**
   * The strategy of this name, for tenants of this shard.
   * @throws {StrategyUnsupportedError} when the shard's engine cannot express it
   */
  get(name: IsolationStrategyName, shardId: string): IsolationStrategy {
    const engine = this.#engineOf(shardId);
    const strategy = this.#strategies[name];
    if (!strategy.engines.includes(engine)) throw new StrategyUnsupportedError(name, engine);
    return strategy;
  }

  /**
   * Starts a unit of work where the tenant's rows lie.
   * @throws {PlacementUnavailableError} when its tables could not be brought up to date
   */
  apply(placement: Placement): AppliedStrategy {
    if (this.#behind.size > 0 && this.isBehind(placement)) throw new PlacementUnavailableError(placement.tenantId);
    return this.get(placement.strategy, placement.shardId).apply(placement);
  }

  #engineOf(shardId: string): EngineName {
    const known = this.#engines.get(shardId);
    if (known) return known;
    const { name } = this.databases.engine(shardId);
    this.#engines.set(shardId, name);
    return name;
  }

  /** Whether any place is behind. */
  get hasBehind(): boolean {
    return this.#behind.size > 0;
  }

  /** Whether the tables of a place could not be brought up to date, when that was tried last. */
  isBehind(placement: Placement): boolean {
    return this.#behind.has(keyOf(placement));
  }

  /**
   * Brings the tables of one tenant's place up to date. Until that succeeds the tenant is not served by this process: code
   * that is ahead of its tables would write what nobody can read.
   */
  async migrate(placement: Placement): Promise<readonly string[]> {
    const { strategy, shardId } = placement;
    try {
      const ran = await this.get(strategy, shardId).migrate(placement);
      this.#behind.delete(keyOf(placement));
      return ran;
    } catch (error) {
      this.#behind.add(keyOf(placement));
      throw error;
    }
  }

  /**
   * Names of the migrations that have run at one tenant's place, oldest first; also while it is not served. Changes nothing.
   * Not for tenants who share tables: the ledger is the shard's.
   *
   * @throws when the place is missing or was never migrated
   */
  readLedger(placement: Placement): Promise<readonly string[]> {
    const { strategy, shardId } = placement;
    return asKit(placement, 'read migrations', async () => {
      const { entityManager, revert } = this.get(strategy, shardId).apply(placement);
      try {
        const { tableName } = entityManager.config.get('migrations');
        const table = entityManager.schema === undefined ? tableName : `${entityManager.schema}.${tableName}`;
        const rows = await entityManager.execute<{ name: string }[]>(`select name from ${table} order by id`);
        return rows.map(({ name }) => name);
      } finally {
        revert();
      }
    });
  }
}

/** Of the place, not of its tenant, who may be moved to a better one. */
function keyOf({ tenantId, strategy, shardId, schemaName, databaseName }: Placement): string {
  return [tenantId, strategy, shardId, schemaName ?? databaseName].join(' ');
}
