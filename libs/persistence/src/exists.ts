import type { EntityName, FilterQuery } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';

/**
 * Whether any row meets the condition. Asks for one key at most, and manages nothing; what waits in the unit of work is flushed
 * first where it could matter, as before any query.
 *
 * @see SQLAlchemy `session.query(exists().where(…)).scalar()`
 */
export async function exists<Entity extends object>(
  entityManager: SqlEntityManager,
  entity: EntityName<Entity>,
  where: FilterQuery<NoInfer<Entity>>,
): Promise<boolean> {
  const { primaryKeys } = entityManager.getMetadata().get(entity);
  const found = await entityManager.find(entity, where, {
    fields: primaryKeys as never,
    limit: 1,
    disableIdentityMap: true,
  });
  return found.length > 0;
}
