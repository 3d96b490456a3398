import type { Money } from '#libs/persistence';
import { CardPayment } from '../payments/card-payment.entity.js';
import type { Payment } from '../payments/payment.entity.js';
import { WalletPayment } from '../payments/wallet-payment.entity.js';
import type { Order } from './order.entity.js';

function toMoneyView({ amount, currency }: Money) {
  return { amount, currency };
}

/** What only this kind of payment has. */
function ownDetails(payment: Payment) {
  if (payment instanceof WalletPayment) return { walletId: payment.wallet.id };
  if (payment instanceof CardPayment) return { lastFour: payment.lastFour };
  return {};
}

function toPaymentView(payment: Payment) {
  const { id, method, money, createdAt } = payment;
  return { id, method, amount: toMoneyView(money), ...ownDetails(payment), createdAt: createdAt.toISOString() };
}

/** An order as the API shows it, with its lines in the order in which they were given. */
export function toOrderView({ id, status, total, lines, payments, version, createdAt, paidAt }: Order) {
  return {
    id,
    status,
    total: toMoneyView(total),
    lines: lines
      .getItems()
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .map((line) => ({
        id: line.id,
        productId: line.product.id,
        quantity: line.quantity,
        unitPrice: toMoneyView(line.unitPrice),
      })),
    payments: payments.getItems().map(toPaymentView),
    version,
    createdAt: createdAt.toISOString(),
    paidAt: paidAt?.toISOString() ?? null,
  };
}
