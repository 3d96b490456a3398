import { ref } from '@mikro-orm/core';
import { Injectable } from '@nestjs/common';
import { currentContext } from '#libs/context';
import {
  CurrentEntityManager,
  findLocked,
  keysetAfter,
  keysetOrder,
  keysetPosition,
  type SortKey,
  Transactional,
} from '#libs/persistence';
import { CursorCodec } from '../../http/cursor-codec.js';
import { InvalidInputError } from '../../http/errors/invalid-input.error.js';
import { NotFoundError } from '../../http/errors/not-found.error.js';
import { Product } from '../catalogue/product.entity.js';
import { OrderPaidError } from '../errors/order-paid.error.js';
import { CardPayment } from '../payments/card-payment.entity.js';
import type { Payment } from '../payments/payment.entity.js';
import { WalletPayment } from '../payments/wallet-payment.entity.js';
import { WalletService } from '../wallets/wallet.service.js';
import { Order } from './order.entity.js';
import type { NewOrder, NewPayment, OrderQuery } from './order.schemas.js';
import { OrderLine } from './order-line.entity.js';
import { takeStock, toTotal } from './order-lines.js';

/** One page of orders, and the cursor of the next (`null` on the last). */
export interface OrderPage {
  readonly data: Order[];
  readonly nextCursor: string | null;
}

/** Newest first: ids grow with time. */
const NEWEST_FIRST: readonly SortKey[] = [{ path: 'id', direction: 'desc' }];
const WHOLE = ['lines', 'payments'] as const;

/** The orders of the current tenant. */
@Injectable()
export class OrderService {
  constructor(
    private readonly entityManager: CurrentEntityManager,
    private readonly wallets: WalletService,
    private readonly cursors: CursorCodec,
  ) {}

  /**
   * Takes what is ordered out of stock, all of it or nothing.
   *
   * @throws {NotFoundError} one of the products is not there
   * @throws {OutOfStockError} there is too little of one
   * @throws {InvalidInputError} they are sold in two currencies, or cost more than can be counted
   */
  @Transactional()
  async place({ lines }: NewOrder): Promise<Order> {
    const em = this.entityManager.get();
    const ids = [...new Set(lines.map(({ productId }) => productId))];
    // Locked in the order of their ids: two orders for the same products cannot lock each other out.
    const products = new Map((await findLocked(em, Product, { id: { $in: ids } })).map((it) => [it.id as string, it]));
    const items = lines.map(({ productId, quantity }) => {
      const product = products.get(productId);
      if (!product) throw new NotFoundError();
      return { product, quantity };
    });
    const order = new Order(toTotal(items));
    takeStock(items);
    order.lines.add(items.map(({ product, quantity }) => new OrderLine(ref(order), product, quantity)));
    em.persist(order);
    return order;
  }

  /** @throws {NotFoundError} also for another tenant's id */
  async get(id: string): Promise<Order> {
    const order = await this.entityManager.get().findOne(Order, { id }, { populate: WHOLE, strategy: 'select-in' });
    if (!order) throw new NotFoundError();
    return order;
  }

  async list({ limit, cursor }: OrderQuery): Promise<OrderPage> {
    const scope = `${currentContext().getTenant().id} orders`;
    const rows = await this.entityManager
      .get()
      .find(Order, cursor ? keysetAfter(NEWEST_FIRST, this.cursors.decode(scope, cursor)) : {}, {
        orderBy: keysetOrder(NEWEST_FIRST),
        // One more than asked for tells whether there is a next page, without a count.
        limit: limit + 1,
        populate: WHOLE,
        strategy: 'select-in',
      });
    const data = rows.slice(0, limit);
    const last = data.at(-1);
    const more = rows.length > data.length && last;
    return { data, nextCursor: more ? this.cursors.encode(scope, keysetPosition(NEWEST_FIRST, last)) : null };
  }

  /**
   * Pays an order, once.
   *
   * @throws {NotFoundError} the order or the wallet is not there
   * @throws {OrderPaidError} @throws {InsufficientFundsError}
   * @throws {InvalidInputError} the wallet is of another currency
   */
  @Transactional()
  async pay(id: string, input: NewPayment): Promise<Order> {
    const em = this.entityManager.get();
    const [order] = await findLocked(em, Order, { id });
    if (!order) throw new NotFoundError();
    if (order.status === 'paid') throw new OrderPaidError();
    await em.populate(order, WHOLE, { strategy: 'select-in' });
    order.payments.add(await this.#charge(order, input));
    order.status = 'paid';
    order.paidAt = new Date();
    return order;
  }

  async #charge(order: Order, input: NewPayment): Promise<Payment> {
    // The provider is asked by whoever settles payments, after the commit: a transaction may run twice.
    if (input.method === 'card') return new CardPayment(order, input);
    const [wallet] = await this.wallets.lock([input.walletId]);
    if (wallet.currency !== order.total.currency) {
      throw new InvalidInputError([{ pointer: '/walletId', detail: `Must be a wallet in ${order.total.currency}.` }]);
    }
    wallet.withdraw(order.total.amount);
    return new WalletPayment(order, wallet);
  }
}
