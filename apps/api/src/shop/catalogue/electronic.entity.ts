import { Entity, Property } from '@mikro-orm/decorators/legacy';
import { Product, type ProductDetails } from './product.entity.js';

@Entity({ tableName: 'electronic' })
export class Electronic extends Product {
  @Property({ type: 'integer' })
  warrantyMonths: number;

  constructor(details: ProductDetails & { readonly warrantyMonths: number }) {
    super('electronic', details);
    this.warrantyMonths = details.warrantyMonths;
  }
}
