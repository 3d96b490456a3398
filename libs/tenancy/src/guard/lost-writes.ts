import type { EntityMetadata, EntityName, MetadataStorage } from '@mikro-orm/core';
import { findAnnouncedWay } from '#libs/persistence';
import { RowNotWrittenError } from './errors/row-not-written.error.js';

type Written = Promise<{ affectedRows?: number }>;

/** What a flush writes with. MikroORM's generics of these say nothing that matters here. */
interface Writer {
  getMetadata(): MetadataStorage;
  nativeUpdate(entity: EntityName, where: unknown, data: object, options?: unknown): Written;
  nativeUpdateMany(
    entity: EntityName,
    wheres: unknown[],
    data: unknown,
    options?: unknown,
    ...rest: unknown[]
  ): Written;
  nativeDelete(entity: EntityName, where: unknown, options?: unknown): Written;
}

/**
 * Makes a flush fail that has changed or deleted fewer rows than it has change sets. MikroORM notices for versioned
 * entities alone; for others, row-level security and somebody's deletion would go by in silence. What is no flush may find
 * nothing, which is an answer.
 */
export function watchWrites(driver: object): void {
  const writer = driver as Writer;
  const { nativeUpdate, nativeUpdateMany, nativeDelete } = writer;
  const metaOf = (entity: EntityName) => writer.getMetadata().get(entity);
  writer.nativeUpdate = async (entity, where, data, options) => {
    const result = await nativeUpdate.call(writer, entity, where, data, options);
    const expected = Object.keys(data).length > 0 && !isVersioned(metaOf(entity)) ? 1 : 0;
    assertWritten(metaOf(entity), expected, result.affectedRows);
    return result;
  };
  writer.nativeUpdateMany = async (entity, wheres, ...rest) => {
    const result = await nativeUpdateMany.call(writer, entity, wheres, ...rest);
    assertWritten(metaOf(entity), isVersioned(metaOf(entity)) ? 0 : wheres.length, result.affectedRows);
    return result;
  };
  writer.nativeDelete = async (entity, where, options) => {
    const result = await nativeDelete.call(writer, entity, where, options);
    assertWritten(metaOf(entity), metaOf(entity).pivotTable ? 0 : countKeys(where), result.affectedRows);
    return result;
  };
}

function assertWritten(meta: EntityMetadata, expected: number, affected: number | undefined): void {
  if (findAnnouncedWay() !== 'flush' || affected === undefined || affected >= expected) return;
  throw new RowNotWrittenError(meta.className);
}

/** Whether MikroORM compares a version itself, and throws an error of its own. */
function isVersioned(meta: EntityMetadata): boolean {
  return meta.ownsVersionProperty() || meta.getOwnConcurrencyCheckKeys().length > 0;
}

/**
 * How many keys a condition of the form `{ key: { $in: […] } }` names, which is what a flush deletes rows by. By any other
 * condition it clears collections that nobody loaded, which may be empty.
 */
function countKeys(where: unknown): number {
  const [condition] = Object.values((where ?? {}) as object);
  return (condition as { $in?: unknown[] } | undefined)?.$in?.length ?? 0;
}
