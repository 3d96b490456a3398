import { runAs } from '#libs/context';
import { runInSystemFrame } from '#libs/persistence';
import type { Placement } from '../placement.js';
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
    // As the tenant: policies of PostgreSQL hold for the kit as well.
    await runAs({ tenant: { id, slug: id }, actor: { id: 'drop', type: 'system' } }, () =>
      runInSystemFrame('drop the rows of a tenant', () => deleteRows(em, id)),
    );
  }
}
