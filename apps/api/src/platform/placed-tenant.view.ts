import type { TenantRecord } from '#libs/tenancy';

/** What operators are shown of a tenant. */
export type PlacedTenant = Pick<TenantRecord, 'id' | 'slug' | 'name' | 'status' | 'placement'>;

/** A tenant as operators see it, with the place of its rows. */
export function toPlacedTenantView({ id, slug, name, status, placement }: PlacedTenant) {
  const { strategy, shardId, schemaName, databaseName, epoch, state } = placement;
  return {
    id,
    slug,
    name,
    status,
    placement: {
      strategy,
      shard: shardId,
      ...(schemaName && { schemaName }),
      ...(databaseName && { databaseName }),
      epoch,
      state,
    },
  };
}
