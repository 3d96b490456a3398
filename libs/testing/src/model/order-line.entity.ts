import type { Ref } from '@mikro-orm/core';
import { Entity, ManyToOne, Property } from '@mikro-orm/decorators/legacy';
import { TenantOwned } from '#libs/persistence';
import { Order } from './order.entity.js';
import { Product } from './product.entity.js';

/** Belongs to an order, and goes with it. */
@Entity({ tableName: 'order_line' })
export class OrderLine extends TenantOwned {
  @ManyToOne(() => Order, {
    ref: true,
    joinColumns: ['tenant_id', 'order_id'],
    referencedColumnNames: ['tenant_id', 'id'],
    ownColumns: ['order_id'],
    deleteRule: 'restrict',
    updateRule: 'restrict',
  })
  order!: Ref<Order>;

  @ManyToOne(() => Product, {
    joinColumns: ['tenant_id', 'product_id'],
    referencedColumnNames: ['tenant_id', 'id'],
    ownColumns: ['product_id'],
    deleteRule: 'restrict',
    updateRule: 'restrict',
  })
  product!: Product;

  @Property({ type: 'integer' })
  quantity!: number;
}
