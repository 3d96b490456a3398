import type { EntityMetadata } from '@mikro-orm/core';

/**
 * Makes MikroORM look for an entity's table in the schema of each EntityManager. Entities that fix a schema of their own
 * keep it. Given as `discovery.onMetadata` where an `OrmRequest` says `tables: 'in schemas'`.
 */
export function leaveSchemaOpen(meta: EntityMetadata): void {
  if (!meta.embeddable) meta.schema ??= '*';
}
