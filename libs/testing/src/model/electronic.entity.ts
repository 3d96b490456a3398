import type { Opt } from '@mikro-orm/core';
import { Entity, Property } from '@mikro-orm/decorators/legacy';
import { Product } from './product.entity.js';

/** Another kind with a table of its own. */
@Entity({ tableName: 'electronic' })
export class Electronic extends Product {
  override readonly type: 'electronic' & Opt = 'electronic';

  @Property({ type: 'integer' })
  warrantyMonths!: number;
}
