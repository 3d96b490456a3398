import { runAs } from '#libs/context';
import { runInSystemFrame } from '#libs/persistence';
import type { Placement } from '../placement.js';

/**
 * Runs work of the kit itself at a tenant's place, for that tenant: policies of PostgreSQL hold for the kit as well, which may
 * write rows of the tenant in its context and of nobody else.
 *
 * @throws {TenantImmutableError} inside an open transaction
 */
export function asKit<T>(placement: Placement, reason: string, work: () => Promise<T>): Promise<T> {
  const { tenantId: id } = placement;
  const tenant = { id, slug: id, placement };
  return runAs({ tenant, actor: { id: reason, type: 'system' } }, () => runInSystemFrame(reason, work));
}
