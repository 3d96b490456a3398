import type { Placement } from '../placement.js';
import { asKit } from './as-kit.js';
import { deleteRows } from './delete-rows.js';
import { forkAlone } from './fork-alone.js';
import type { AppliedStrategy, IsolationStrategy, PlaceNames } from './isolation-strategy.js';
import { strategyEngines } from './strategy-engines.js';
import type { TenantDatabases } from './tenant-databases.js';

/** Tables shared by all tenants of a shard. What keeps rows apart are keys, the guard, and on PostgreSQL row-level security. */
export class RowIsolationStrategy implements IsolationStrategy {
  readonly name = 'row';
  readonly engines = strategyEngines.row;

  constructor(private readonly databases: TenantDatabases) {}

  nameFor(): PlaceNames {
    return {};
  }

  async provision(): Promise<void> {}

  async migrate(): Promise<readonly string[]> {
    return [];
  }

  apply({ shardId }: Placement): AppliedStrategy {
    return { entityManager: forkAlone(this.databases.shared(shardId)), revert: () => {} };
  }

  async drop(placement: Placement): Promise<void> {
    const { tenantId: id, shardId } = placement;
    const em = forkAlone(this.databases.shared(shardId));
    await asKit(placement, 'drop the rows of a tenant', () => deleteRows(em, id));
  }
}
