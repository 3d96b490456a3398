import { Collection, type Opt, type Ref } from '@mikro-orm/core';
import { Embedded, Entity, Index, ManyToMany, ManyToOne, Property, Unique } from '@mikro-orm/decorators/legacy';
import { Money, TenantOwned } from '#libs/persistence';
import { Category } from './category.entity.js';
import { Tag } from './tag.entity.js';

/** Root of a class-table hierarchy: every kind has a table of its own beside this one. */
@Entity({ tableName: 'product', inheritance: 'tpt' })
@Unique({ properties: ['tenantId', 'sku'] })
// In place of the relation's own index, which engines that index foreign keys would also put on the child tables.
@Index({ properties: ['tenantId', 'category'] })
export abstract class Product extends TenantOwned {
  /** The kind, in the root table, so that a list can filter by it without joining every kind. Each kind sets its own. */
  @Property({ type: 'string', length: 20 })
  readonly type!: ('book' | 'electronic') & Opt;

  @Property({ type: 'string', length: 60 })
  sku!: string;

  @Property({ type: 'string', length: 200 })
  name!: string;

  @Embedded(() => Money, { prefix: 'price_' })
  price!: Money;

  @Property({ type: 'integer' })
  stock: number & Opt = 0;

  @Property({ type: 'json', nullable: true })
  labels?: string[];

  @Property({ type: 'json', nullable: true })
  attributes?: Record<string, unknown>;

  @ManyToOne(() => Category, {
    nullable: true,
    ref: true,
    index: false,
    joinColumns: ['tenant_id', 'category_id'],
    referencedColumnNames: ['tenant_id', 'id'],
    ownColumns: ['category_id'],
    // `set null` would null the shared tenant_id, `cascade` would let a tenant id wander.
    deleteRule: 'restrict',
    updateRule: 'restrict',
  })
  category?: Ref<Category>;

  @ManyToMany(
    () => Tag,
    (tag: Tag) => tag.products,
    {
      owner: true,
      // One tenant column in the pivot: a product and a tag of two tenants cannot be linked at all.
      pivotTable: 'product_tag',
      joinColumns: ['tenant_id', 'product_id'],
      inverseJoinColumns: ['tenant_id', 'tag_id'],
      updateRule: 'restrict',
    },
  )
  readonly tags = new Collection<Tag>(this);

  @Property({ type: 'integer', version: true })
  readonly version: number & Opt = 1;

  @Property({ type: 'Date', length: 3 })
  readonly createdAt: Date & Opt = new Date();

  @Property({ type: 'Date', length: 3, onUpdate: () => new Date() })
  readonly updatedAt: Date & Opt = new Date();
}
