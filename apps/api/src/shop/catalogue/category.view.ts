import type { Category } from './category.entity.js';

/** A category as the API shows it. */
export function toCategoryView({ id, name, parent, version, createdAt }: Category) {
  return { id, name, parentId: parent?.id ?? null, version, createdAt: createdAt.toISOString() };
}
