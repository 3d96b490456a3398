import type { CountedTag } from './tag.service.js';

/** A tag as the API shows it. */
export function toTagView({ tag: { id, name, description, version, createdAt }, products }: CountedTag) {
  return { id, name, description, products, version, createdAt: createdAt.toISOString() };
}
