import { type EntityMetadata, ReferenceKind, Utils, wrap } from '@mikro-orm/core';

/**
 * The values of an object that may be brought over onto the loaded row: what is set of its own columns, and its to-one
 * relations as keys. Not its primary key, its version or its collections.
 */
export function valuesOf(entity: object, meta: EntityMetadata): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const { name, kind, primary, version, persist } of meta.props) {
    const value = (entity as Record<string, unknown>)[name];
    if (value === undefined || primary || version || persist === false) continue;
    if (kind === ReferenceKind.ONE_TO_MANY || kind === ReferenceKind.MANY_TO_MANY) continue;
    const isToOne = kind === ReferenceKind.MANY_TO_ONE || kind === ReferenceKind.ONE_TO_ONE;
    values[name] = isToOne && Utils.isEntity(value, true) ? wrap(value as object, true).getPrimaryKey() : value;
  }
  return values;
}
