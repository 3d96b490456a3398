import type { Transfer } from './transfer.entity.js';
import type { Wallet } from './wallet.entity.js';

/** A wallet as the API shows it. */
export function toWalletView({ id, currency, balance, version, createdAt, updatedAt }: Wallet) {
  return {
    id,
    currency,
    balance,
    version,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}

/** A transfer as the API shows it. */
export function toTransferView({ id, from, to, money, createdAt }: Transfer) {
  return {
    id,
    from: from.id,
    to: to.id,
    amount: money.amount,
    currency: money.currency,
    createdAt: createdAt.toISOString(),
  };
}
