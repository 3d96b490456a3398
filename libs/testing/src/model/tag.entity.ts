import { Collection } from '@mikro-orm/core';
import { Entity, ManyToMany, Property, Unique } from '@mikro-orm/decorators/legacy';
import { TenantOwned } from '#libs/persistence';
import { Product } from './product.entity.js';

/** Linked with products, many to many. */
@Entity({ tableName: 'tag' })
@Unique({ properties: ['tenantId', 'name'] })
export class Tag extends TenantOwned {
  @Property({ type: 'string', length: 60 })
  name!: string;

  @ManyToMany(
    () => Product,
    (product: Product) => product.tags,
  )
  readonly products = new Collection<Product>(this);
}
