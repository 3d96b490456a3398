import { type EntityState, nest } from '#libs/audit';

/** A product as it was, in the form of `toProductView`. */
export function toProductStateView(id: string, { values }: EntityState) {
  const { type, sku, name, price, stock, tags, version, createdAt, updatedAt, ...own } = nest(values);
  return { id, type, sku, name, price, stock, tags, ...own, version, createdAt, updatedAt };
}
