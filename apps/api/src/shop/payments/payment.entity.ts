import type { Opt, PropertyOptions, Ref } from '@mikro-orm/core';
import { Embedded, Entity, Index, ManyToOne, Property } from '@mikro-orm/decorators/legacy';
import { Money, TenantOwned } from '#libs/persistence';
import { Order } from '../orders/order.entity.js';

/** How a payment was made. */
export type PaymentMethod = 'wallet' | 'card';

/** What was paid for an order. Single-table inheritance: all kinds share one table, told apart by `method`. */
@Entity({ tableName: 'payment', discriminatorColumn: 'method' })
export abstract class Payment extends TenantOwned {
  // Left to itself, MikroORM indexes it alone, for every tenant at once; and takes it for an enum when it compares schemas,
  // though it creates none, so that MariaDB's never match.
  @Property({ type: 'string', length: 20, index: false, items: [] } as PropertyOptions<Payment>)
  readonly method: PaymentMethod;

  @Index()
  @ManyToOne(() => Order, {
    ref: true,
    joinColumns: ['tenant_id', 'order_id'],
    referencedColumnNames: ['tenant_id', 'id'],
    ownColumns: ['order_id'],
    deleteRule: 'restrict',
    updateRule: 'restrict',
  })
  readonly order: Ref<Order>;

  @Embedded(() => Money, { prefix: false })
  readonly money: Money;

  @Property({ type: 'Date', length: 3 })
  readonly createdAt: Date & Opt = new Date();

  protected constructor(method: PaymentMethod, order: Ref<Order>, money: Money) {
    super();
    this.method = method;
    this.order = order;
    this.money = money;
  }
}
