import type { TenantStatus } from '../entities/tenant.entity.js';
import type { Placement } from '../placement.js';

/** What a request needs to know of its tenant. Frozen: it is shared by every request that hits the cache. */
export interface TenantRecord {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly status: TenantStatus;
  readonly placement: Placement;
}
