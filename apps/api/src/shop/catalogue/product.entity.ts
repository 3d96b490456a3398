import { Collection, type Opt, type Ref } from '@mikro-orm/core';
import { Embedded, Entity, Index, ManyToMany, ManyToOne, Property, Unique } from '@mikro-orm/decorators/legacy';
import { Audited } from '#libs/audit';
import { Money, StringListType, TenantOwned } from '#libs/persistence';
import { Category } from './category.entity.js';
import { Tag } from './tag.entity.js';

/** What a tenant may sell. */
export type ProductType = 'book' | 'electronic' | 'digital';

/** What every product has, whatever its type. */
export interface ProductDetails {
  readonly sku: string;
  readonly name: string;
  readonly price: Money;
  readonly stock?: number;
  readonly tags?: readonly string[];
  readonly category?: Ref<Category> | null;
}

/**
 * Something a tenant sells. Class-table inheritance: this is the root table, each type has one of its own for what only
 * it has. The root row carries `type`, so that lists, filters and reports need no join.
 */
@Audited<Product>({ ignore: ['taggedWith'] })
@Entity({ tableName: 'product', inheritance: 'tpt' })
@Unique({ properties: ['tenantId', 'sku'] })
@Index({ properties: ['tenantId', 'createdAt'] })
// In place of the relation's own index, which engines that index foreign keys would also put on the tables of each type.
@Index({ properties: ['tenantId', 'category'] })
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

  /** Words, as they were given. Each is the name of a `Tag`. */
  @Property({ type: StringListType })
  tags: string[] & Opt;

  /** The tags of those words: to look for products, and never written here. `TagLinker` keeps it. */
  @ManyToMany(
    () => Tag,
    (tag: Tag) => tag.products,
    {
      owner: true,
      // From the tag's side too: PostgreSQL indexes no foreign key by itself.
      index: true,
      // One tenant column in the pivot: a product and a tag of two tenants cannot be linked at all.
      pivotTable: 'product_tag',
      joinColumns: ['tenant_id', 'product_id'],
      inverseJoinColumns: ['tenant_id', 'tag_id'],
      updateRule: 'restrict',
    },
  )
  readonly taggedWith = new Collection<Tag>(this);

  @ManyToOne(() => Category, {
    nullable: true,
    ref: true,
    index: false,
    joinColumns: ['tenant_id', 'category_id'],
    referencedColumnNames: ['tenant_id', 'id'],
    ownColumns: ['category_id'],
    deleteRule: 'restrict',
    updateRule: 'restrict',
  })
  category: Ref<Category> | null;

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
    this.category = details.category ?? null;
  }
}
