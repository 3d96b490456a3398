import { Money } from '#libs/persistence';
import { InvalidInputError } from '../../http/errors/invalid-input.error.js';
import type { InputError } from '../../http/problem.js';
import type { Product } from '../catalogue/product.entity.js';
import { OutOfStockError } from '../errors/out-of-stock.error.js';

/** So much of one product. One product may come in several lines. */
export interface OrderItem {
  readonly product: Product;
  readonly quantity: number;
}

/** @throws {InvalidInputError} the items are sold in several currencies, or cost more than can be counted */
export function toTotal(items: readonly OrderItem[]): Money {
  const currency = items[0]?.product.price.currency ?? '';
  // Each product of two safe integers may be unsafe, and then it is inexact: bigint is not.
  let amount = 0n;
  for (const [index, { product, quantity }] of items.entries()) {
    if (product.price.currency !== currency) {
      throw new InvalidInputError([{ pointer: `/lines/${index}/productId`, detail: `Must be sold in ${currency}.` }]);
    }
    amount += BigInt(product.price.amount) * BigInt(quantity);
  }
  if (amount > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new InvalidInputError([{ pointer: '/lines', detail: 'The order costs more than can be counted.' }]);
  }
  return new Money(Number(amount), currency);
}

/**
 * Takes all items out of the stock of their products, whose rows are locked.
 * @throws {OutOfStockError} names every product there is too little of; then nothing was taken
 */
export function takeStock(items: readonly OrderItem[]): void {
  const wanted = new Map<Product, number>();
  for (const { product, quantity } of items) wanted.set(product, (wanted.get(product) ?? 0) + quantity);
  const missing: InputError[] = [];
  for (const [product, quantity] of wanted) {
    if (quantity <= product.stock) continue;
    const line = items.findIndex((item) => item.product === product);
    missing.push({ pointer: `/lines/${line}/quantity`, detail: `${product.stock} of "${product.sku}" are left.` });
  }
  if (missing.length > 0) throw new OutOfStockError(missing);
  for (const [product, quantity] of wanted) product.stock -= quantity;
}
