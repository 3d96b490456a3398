import type { InputError } from '../../http/problem.js';
import { ShopError } from './shop.error.js';

/** There is less of a product than an order asks for. Nothing was taken. */
export class OutOfStockError extends ShopError {
  readonly code = 'out_of_stock';

  /** @param errors one for each product there is too little of, pointing at its first line */
  constructor(readonly errors: readonly InputError[]) {
    super('There is not enough in stock. Nothing was ordered.');
  }
}
