import { Collection, type Opt } from '@mikro-orm/core';
import { Entity, OneToMany, Property } from '@mikro-orm/decorators/legacy';
import { TenantOwned } from '#libs/persistence';
import { OrderLine } from './order-line.entity.js';

/** Owns its lines: a line taken out of the collection is deleted. */
@Entity({ tableName: 'shop_order' })
export class Order extends TenantOwned {
  @Property({ type: 'string', length: 20 })
  status: ('open' | 'paid') & Opt = 'open';

  @Property({ type: 'Date', length: 3 })
  readonly placedAt: Date & Opt = new Date();

  @OneToMany(
    () => OrderLine,
    (line: OrderLine) => line.order,
    { orphanRemoval: true },
  )
  readonly lines = new Collection<OrderLine>(this);
}
