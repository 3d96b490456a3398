/** Codes of what a shop refuses; they stand in the problem, or another code for them. */
export type ShopErrorCode = 'balance_limit' | 'insufficient_funds' | 'order_paid' | 'out_of_stock';

/** Base of the errors of the shop: rules of its business that a request would break. */
export abstract class ShopError extends Error {
  abstract readonly code: ShopErrorCode;
  override readonly name = this.constructor.name;
}
