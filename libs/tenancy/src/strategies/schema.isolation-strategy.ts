import type { Placement } from '../placement.js';
import { forkAlone } from './fork-alone.js';
import type { AppliedStrategy, IsolationStrategy, PlaceNames } from './isolation-strategy.js';
import { assertPlaceName, placeNameOf } from './place-name.js';
import { strategyEngines } from './strategy-engines.js';
import type { TenantSchemas } from './tenant-schemas.js';

/**
 * A schema per tenant, named in front of every table in the SQL. All such tenants of a shard use one pool, and nothing of a
 * tenant is left in its connections.
 */
export class SchemaIsolationStrategy implements IsolationStrategy {
  readonly name = 'schema';
  readonly engines = strategyEngines.schema;

  constructor(private readonly schemas: TenantSchemas) {}

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
    return { entityManager: forkAlone(this.schemas.orm(shardId), schemaName), revert: () => {} };
  }

  drop(placement: Placement): Promise<void> {
    return this.schemas.drop(placement);
  }
}
