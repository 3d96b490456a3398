import type { Ref } from '@mikro-orm/core';
import { Embedded, Entity, Index, ManyToOne, Property } from '@mikro-orm/decorators/legacy';
import { Money, TenantOwned } from '#libs/persistence';
import { Product } from '../catalogue/product.entity.js';
import { Order } from './order.entity.js';

/** So much of one product, at the price it had then. Never changes. */
@Entity({ tableName: 'order_line' })
export class OrderLine extends TenantOwned {
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

  @Index()
  @ManyToOne(() => Product, {
    joinColumns: ['tenant_id', 'product_id'],
    referencedColumnNames: ['tenant_id', 'id'],
    ownColumns: ['product_id'],
    deleteRule: 'restrict',
    updateRule: 'restrict',
  })
  readonly product: Product;

  @Property({ type: 'integer' })
  readonly quantity: number;

  @Embedded(() => Money, { prefix: 'unit_price_' })
  readonly unitPrice: Money;

  constructor(order: Ref<Order>, product: Product, quantity: number) {
    super();
    this.order = order;
    this.product = product;
    this.quantity = quantity;
    this.unitPrice = product.price;
  }
}
