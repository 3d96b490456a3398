import type { Opt } from '@mikro-orm/core';
import { Entity, Property } from '@mikro-orm/decorators/legacy';
import { Product } from './product.entity.js';

/** A kind with a table of its own. */
@Entity({ tableName: 'book' })
export class Book extends Product {
  override readonly type: 'book' & Opt = 'book';

  @Property({ type: 'string', length: 20 })
  isbn!: string;
}
