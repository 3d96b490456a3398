import { Collection, type Opt } from '@mikro-orm/core';
import { Embedded, Entity, OneToMany, Property } from '@mikro-orm/decorators/legacy';
import { Money, TenantOwned } from '#libs/persistence';
import { Payment } from '../payments/payment.entity.js';
import { OrderLine } from './order-line.entity.js';

/** What somebody has ordered. Owns its lines: a line that is taken out of the collection is deleted. */
@Entity({ tableName: 'shop_order' })
export class Order extends TenantOwned {
  @Property({ type: 'string', length: 20 })
  status: ('open' | 'paid') & Opt = 'open';

  /** Sum of the lines, which share one currency. */
  @Embedded(() => Money, { prefix: 'total_' })
  readonly total: Money;

  @Property({ type: 'integer', version: true })
  readonly version!: number & Opt;

  @Property({ type: 'Date', length: 3 })
  readonly createdAt: Date & Opt = new Date();

  @Property({ type: 'Date', length: 3, nullable: true })
  paidAt: Date | null = null;

  @OneToMany(
    () => OrderLine,
    (line: OrderLine) => line.order,
    { orphanRemoval: true },
  )
  readonly lines = new Collection<OrderLine>(this);

  @OneToMany(
    () => Payment,
    (payment: Payment) => payment.order,
  )
  readonly payments = new Collection<Payment>(this);

  constructor(total: Money) {
    super();
    this.total = total;
  }
}
