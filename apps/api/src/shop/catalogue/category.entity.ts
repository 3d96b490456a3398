import { Collection, type Opt, type Ref } from '@mikro-orm/core';
import { Entity, Index, ManyToOne, OneToMany, Property } from '@mikro-orm/decorators/legacy';
import { TenantOwned } from '#libs/persistence';

/** A place in the catalogue's tree. Refers to itself; a tree has no loops and at most `MAX_CATEGORY_DEPTH` levels. */
@Entity({ tableName: 'category' })
@Index({ properties: ['tenantId', 'name'] })
export class Category extends TenantOwned {
  @Property({ type: 'string', length: 100 })
  name: string;

  @Index()
  @ManyToOne(() => Category, {
    nullable: true,
    ref: true,
    joinColumns: ['tenant_id', 'parent_id'],
    referencedColumnNames: ['tenant_id', 'id'],
    ownColumns: ['parent_id'],
    // `set null` would null the shared tenant_id.
    deleteRule: 'restrict',
    updateRule: 'restrict',
  })
  parent: Ref<Category> | null;

  @OneToMany(
    () => Category,
    (category: Category) => category.parent,
  )
  readonly children = new Collection<Category>(this);

  @Property({ type: 'integer', version: true })
  readonly version!: number & Opt;

  @Property({ type: 'Date', length: 3 })
  readonly createdAt: Date & Opt = new Date();

  constructor({ name, parent = null }: { readonly name: string; readonly parent?: Ref<Category> | null }) {
    super();
    this.name = name;
    this.parent = parent;
  }
}

/** Levels of the tree, the topmost included. */
export const MAX_CATEGORY_DEPTH = 10;
