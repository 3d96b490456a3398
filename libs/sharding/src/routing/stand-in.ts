import type { EntityMetadata } from '@mikro-orm/core';

/**
 * An object with an entity's class and data that is not an entity: no setter runs, no relation is wired, nothing is
 * registered anywhere. Choosers see it in place of the entity that is going to be made on the shard they choose.
 */
export function standIn(meta: EntityMetadata, data: object): object {
  return { __proto__: meta.prototype, ...data };
}
