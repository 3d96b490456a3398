import type { TenantRecord } from '#libs/tenancy';

/** A tenant as the command line shows it: one line of a list, or an object. */
export function showTenant({ id, slug, name, status, placement }: Omit<TenantRecord, never>) {
  const { strategy, shardId, schemaName, databaseName } = placement;
  return { slug, name, status, strategy, shard: shardId, place: schemaName ?? databaseName ?? null, id };
}
