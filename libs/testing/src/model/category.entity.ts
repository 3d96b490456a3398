import { Collection, type Ref } from '@mikro-orm/core';
import { Entity, ManyToOne, OneToMany, Property } from '@mikro-orm/decorators/legacy';
import { TenantOwned } from '#libs/persistence';

/** A tree: refers to itself. */
@Entity({ tableName: 'category' })
export class Category extends TenantOwned {
  @Property({ type: 'string', length: 100 })
  name!: string;

  @ManyToOne(() => Category, {
    nullable: true,
    ref: true,
    joinColumns: ['tenant_id', 'parent_id'],
    referencedColumnNames: ['tenant_id', 'id'],
    ownColumns: ['parent_id'],
    deleteRule: 'restrict',
    updateRule: 'restrict',
  })
  parent?: Ref<Category>;

  @OneToMany(
    () => Category,
    (category: Category) => category.parent,
  )
  readonly children = new Collection<Category>(this);
}
