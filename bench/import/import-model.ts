import type { Opt } from '@mikro-orm/core';
import { Embedded, Entity, Index, Property, Unique } from '@mikro-orm/decorators/legacy';
import { Money, StringListType, TenantOwned } from '#libs/persistence';

/** What a product is made from. */
export interface ProductDetails {
  readonly sku: string;
  readonly name: string;
  readonly price: Money;
  readonly stock?: number;
  readonly tags?: readonly string[];
}

/** The shop's product: the same columns and indexes, and a constructor that is given details. */
@Entity({ tableName: 'product', inheritance: 'tpt' })
@Unique({ properties: ['tenantId', 'sku'] })
@Index({ properties: ['tenantId', 'createdAt'] })
@Index({ properties: ['tenantId', 'name'] })
export abstract class Product extends TenantOwned {
  @Property({ type: 'string', length: 20 })
  readonly type: string;

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

  @Property({ type: 'integer', version: true })
  readonly version!: number & Opt;

  @Property({ type: 'Date', length: 3 })
  readonly createdAt: Date & Opt = new Date();

  @Property({ type: 'Date', length: 3, onUpdate: () => new Date() })
  readonly updatedAt: Date & Opt = new Date();

  protected constructor(type: string, details: ProductDetails) {
    super();
    this.type = type;
    this.sku = details.sku;
    this.name = details.name;
    this.price = details.price;
    this.stock = details.stock ?? 0;
    this.tags = [...(details.tags ?? [])];
  }
}

@Entity({ tableName: 'digital_product' })
export class DigitalProduct extends Product {
  @Property({ type: 'bigint', runtimeType: 'number', nullable: true })
  downloadSizeKb: number | null;

  constructor(details: ProductDetails & { readonly downloadSizeKb?: number | null }) {
    super('digital', details);
    this.downloadSizeKb = details.downloadSizeKb ?? null;
  }
}
