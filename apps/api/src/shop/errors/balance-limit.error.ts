import { ShopError } from './shop.error.js';

/** A wallet would hold more minor units than a JSON number can say exactly. Nothing was moved. */
export class BalanceLimitError extends ShopError {
  readonly code = 'balance_limit';

  constructor() {
    super(`A wallet holds at most ${Number.MAX_SAFE_INTEGER} minor units.`);
  }
}
