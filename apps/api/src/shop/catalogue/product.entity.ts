import type { Opt } from '@mikro-orm/core';
import { Embedded, Entity, Index, Property, Unique } from '@mikro-orm/decorators/legacy';
import { Money, StringListType, TenantOwned } from '#libs/persistence';

/** What a tenant may sell. */
export type ProductType = 'book' | 'electronic' | 'digital';

/** What every product has, whatever its type. */
export interface ProductDetails {
  readonly sku: string;
  readonly name: string;
  readonly price: Money;
  readonly stock?: number;
  readonly tags?: readonly string[];
}

/**
 * Something a tenant sells. Class-table inheritance: this is the root table, each type has one of its own for what only
 * it has. The root row carries `type`, so that lists, filters and reports need no join.
 */
@Entity({ tableName: 'product', inheritance: 'tpt' })
@Unique({ properties: ['tenantId', 'sku'] })
@Index({ properties: ['tenantId', 'createdAt'] })
@Index({ properties: ['tenantId', 'name'] })
export abstract class Product extends TenantOwned {
  @Property({ type: 'string', length: 20 })
  readonly type: ProductType;

  /** Stock-keeping unit, unique within the tenant. */
  @Property({ type: 'string', length: 100 })
  sku: string;

  @Property({ type: 'string', length: 255 })
  name: string;

  @Embedded(() => Money)
  price: Money;

  @Property({ type: 'integer' })
  stock: number & Opt;

  @Property({ type: StringListType })
  tags: string[] & Opt;

  /** Grows with every change; the `ETag` of the REST API. */
  @Property({ type: 'integer', version: true })
  readonly version!: number & Opt;

  @Property({ type: 'Date', length: 3 })
  readonly createdAt: Date & Opt = new Date();

  @Property({ type: 'Date', length: 3, onUpdate: () => new Date() })
  readonly updatedAt: Date & Opt = new Date();

  protected constructor(type: ProductType, details: ProductDetails) {
    super();
    this.type = type;
    this.sku = details.sku;
    this.name = details.name;
    this.price = details.price;
    this.stock = details.stock ?? 0;
    this.tags = [...(details.tags ?? [])];
  }
}
