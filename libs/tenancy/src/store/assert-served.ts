import { TenantSuspendedError } from '../errors/tenant-suspended.error.js';
import type { TenantRecord } from './tenant-record.js';

/**
 * Checks that a tenant is served at all. Every way in asks this: tokens, keys, log-in, refresh, invitations.
 * @throws {TenantSuspendedError}
 */
export function assertServed({ id, status }: Pick<TenantRecord, 'id' | 'status'>): void {
  if (status !== 'active') throw new TenantSuspendedError(id);
}
