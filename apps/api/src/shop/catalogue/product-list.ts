import type { FilterQuery } from '@mikro-orm/core';
import { containsText, type SortKey } from '#libs/persistence';
import type { Product } from './product.entity.js';
import type { ProductQuery } from './product.schemas.js';
import { wordKeyOf } from './tag-word.js';

/** Property by the name the API sorts by. */
const SORT_PATHS = { createdAt: 'createdAt', name: 'name', price: 'price.amount', sku: 'sku' } as const;

/** The order a query asks for; the id makes it total. */
export function toSortKeys(sort: ProductQuery['sort']): SortKey[] {
  const direction = sort.startsWith('-') ? 'desc' : 'asc';
  const name = sort.replace('-', '') as keyof typeof SORT_PATHS;
  return [
    { path: SORT_PATHS[name], direction },
    { path: 'id', direction },
  ];
}

/**
 * The filters of a query as conditions, all of which must hold.
 * @param categoryIds  the category that is asked for, and all below it
 */
export function toConditions(query: ProductQuery, categoryIds?: readonly string[]): FilterQuery<Product>[] {
  const conditions: FilterQuery<Product>[] = [];
  const { 'filter[type]': type, 'filter[sku]': sku, 'filter[tag]': tag } = query;
  const { 'filter[name][contains]': text, 'filter[price][gte]': least, 'filter[price][lte]': most } = query;
  if (type !== undefined) conditions.push({ type });
  if (sku !== undefined) conditions.push({ sku });
  if (text !== undefined) conditions.push({ [containsText('name', text)]: [] });
  if (tag !== undefined) conditions.push({ taggedWith: { $some: { wordKey: wordKeyOf(tag) } } });
  if (categoryIds) conditions.push({ category: { id: { $in: [...categoryIds] } } });
  if (least !== undefined) conditions.push({ price: { amount: { $gte: least } } });
  if (most !== undefined) conditions.push({ price: { amount: { $lte: most } } });
  return conditions;
}

/** What a cursor of this list is good for: the same order and filters, whatever the page size. */
export function toCursorScope(tenantId: string, { limit: _limit, cursor: _cursor, ...rest }: ProductQuery): string {
  return `${tenantId} products ${JSON.stringify(rest)}`;
}
