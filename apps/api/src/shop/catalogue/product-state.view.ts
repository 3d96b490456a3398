import { type EntityState, nest } from '#libs/audit';

/** A product as it was, in the form of `toProductView`. */
export function toProductStateView(id: string, { values }: EntityState) {
  const { type, sku, name, price, stock, tags, category = null, ...rest } = nest(values);
  const { version, createdAt, updatedAt, ...own } = rest;
  return { id, type, sku, name, price, stock, tags, categoryId: category, ...own, version, createdAt, updatedAt };
}
