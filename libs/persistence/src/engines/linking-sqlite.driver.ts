import type { EntityDictionary, EntityName, FilterQuery, QueryResult, UpsertManyOptions } from '@mikro-orm/core';
import { SqliteDriver } from '@mikro-orm/sqlite';

/**
 * SqliteDriver that can add to a many-to-many collection which was not loaded. Both foreign keys of a pivot table contain
 * its one `tenant_id`, MikroORM 7.2.1 names it twice in `on conflict (…)`, and SQLite then finds no such constraint.
 */
export class LinkingSqliteDriver extends SqliteDriver {
  override nativeUpdateMany<T extends object>(
    entityName: EntityName<T>,
    where: FilterQuery<T>[],
    data: EntityDictionary<T>[],
    options?: UpsertManyOptions<T> & { upsert?: boolean },
    transform?: (sql: string, params: unknown[]) => string,
  ): Promise<QueryResult<T>> {
    const meta = this.metadata.get(entityName);
    if (options?.upsert && meta.pivotTable && !options.onConflictFields) {
      const columns = new Set<string>(meta.getPrimaryProps().flatMap((prop) => prop.fieldNames));
      const onConflictFields = [...columns] as unknown as UpsertManyOptions<T>['onConflictFields'];
      return super.nativeUpdateMany(entityName, where, data, { ...options, onConflictFields }, transform);
    }
    return super.nativeUpdateMany(entityName, where, data, options, transform);
  }
}
