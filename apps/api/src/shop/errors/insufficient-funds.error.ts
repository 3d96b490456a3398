import { ShopError } from './shop.error.js';

/** A wallet holds less than it is to pay. Nothing was moved. */
export class InsufficientFundsError extends ShopError {
  readonly code = 'insufficient_funds';

  constructor() {
    super('The wallet does not hold that much.');
  }
}
