import { Collection, type Opt } from '@mikro-orm/core';
import { Entity, Index, ManyToMany, Property, Unique } from '@mikro-orm/decorators/legacy';
import { Audited } from '#libs/audit';
import { TenantOwned } from '#libs/persistence';
import { Product } from './product.entity.js';
import { wordKeyOf } from './tag-word.js';

/**
 * A word that products carry. Made when the first product does, or beforehand; products keep the word itself, so that
 * reading one needs no join, and `TagLinker` keeps both in step.
 */
@Audited<Tag>({ ignore: ['wordKey', 'products'] })
@Entity({ tableName: 'tag' })
@Unique({ properties: ['tenantId', 'wordKey'] })
@Index({ properties: ['tenantId', 'name'] })
export class Tag extends TenantOwned {
  /** The word as it was written first. */
  @Property({ type: 'string', length: 50 })
  name: string;

  @Property({ type: 'uuid' })
  wordKey: string;

  @Property({ type: 'string', length: 500, nullable: true })
  description: string | null;

  @Property({ type: 'integer', version: true })
  readonly version!: number & Opt;

  @Property({ type: 'Date', length: 3 })
  readonly createdAt: Date & Opt = new Date();

  /** Never loaded whole: there may be very many. */
  @ManyToMany(
    () => Product,
    (product: Product) => product.taggedWith,
  )
  readonly products = new Collection<Product>(this);

  constructor({ name, description = null }: { readonly name: string; readonly description?: string | null }) {
    super();
    this.name = name;
    this.wordKey = wordKeyOf(name);
    this.description = description;
  }

  rename(name: string): void {
    this.name = name;
    this.wordKey = wordKeyOf(name);
  }
}
