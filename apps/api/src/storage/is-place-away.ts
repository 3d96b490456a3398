import { isUnavailable, UnknownShardError } from '#libs/sharding';
import { PlacementUnavailableError, TenantMovingError, TenantPoolsExhaustedError } from '#libs/tenancy';

const KINDS = [PlacementUnavailableError, TenantMovingError, TenantPoolsExhaustedError, UnknownShardError];

/**
 * Whether an error says that the place of a tenant's rows cannot be reached now, rather than that the work is wrong. Of a
 * shard that is no longer configured nothing can be asked either.
 */
export function isPlaceAway(error: unknown): boolean {
  return isUnavailable(error) || KINDS.some((kind) => error instanceof kind);
}
