import { Entity, Property } from '@mikro-orm/decorators/legacy';
import { Product, type ProductDetails } from './product.entity.js';

@Entity({ tableName: 'book' })
export class Book extends Product {
  /** ISBN-10 or ISBN-13, hyphens removed. */
  @Property({ type: 'string', length: 13 })
  isbn: string;

  constructor(details: ProductDetails & { readonly isbn: string }) {
    super('book', details);
    this.isbn = details.isbn;
  }
}
