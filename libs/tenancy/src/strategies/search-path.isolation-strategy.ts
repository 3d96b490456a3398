import type { Placement } from '../placement.js';
import { placementOf } from '../placement-of.js';
import { forkAlone } from './fork-alone.js';
import type { AppliedStrategy, IsolationStrategy, PlaceNames } from './isolation-strategy.js';
import { assertPlaceName, placeNameOf } from './place-name.js';
import { strategyEngines } from './strategy-engines.js';
import type { TenantDatabases, TenantOrm } from './tenant-databases.js';
import type { TenantSchemas } from './tenant-schemas.js';

/**
 * A schema per tenant, in which unqualified names are looked up: the SQL is that of shared tables, raw SQL included. The path
 * travels with each statement, so connections keep nothing of it and any pooler may stand between.
 */
export class SearchPathIsolationStrategy implements IsolationStrategy {
  readonly name = 'search-path';
  readonly engines = strategyEngines['search-path'];
  readonly #orms = new Map<string, TenantOrm>();

  constructor(
    private readonly databases: TenantDatabases,
    private readonly schemas: TenantSchemas,
  ) {}

  nameFor(tenantId: string): PlaceNames {
    return { schemaName: placeNameOf(tenantId) };
  }

  provision(placement: Placement): Promise<void> {
    return this.schemas.create(placement);
  }

  migrate(placement: Placement): Promise<readonly string[]> {
    return this.schemas.migrate(placement);
  }

  apply({ shardId, schemaName }: Placement): AppliedStrategy {
    assertPlaceName(schemaName);
    return { entityManager: forkAlone(this.#orm(shardId)), revert: () => {} };
  }

  drop(placement: Placement): Promise<void> {
    return this.schemas.drop(placement);
  }

  /** A pool of its own: tenants of shared tables must not pay for a setting that they have no use for. */
  #orm(shardId: string): TenantOrm {
    let orm = this.#orms.get(shardId);
    if (!orm) {
      const holds = (placement?: Placement) => placement?.strategy === this.name && placement.shardId === shardId;
      const guard = { holds: (tenant: Parameters<typeof placementOf>[0]) => holds(placementOf(tenant)) };
      orm = this.databases.open(shardId, { name: 'search-path', tables: 'on the search path', guard });
      this.#orms.set(shardId, orm);
    }
    return orm;
  }
}
