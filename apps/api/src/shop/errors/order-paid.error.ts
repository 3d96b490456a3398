import { ShopError } from './shop.error.js';

/** The order is paid already; it was not paid again. */
export class OrderPaidError extends ShopError {
  readonly code = 'order_paid';

  constructor() {
    super('This order is paid already.');
  }
}
