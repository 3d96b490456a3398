import type { Ref } from '@mikro-orm/core';
import { Money } from '#libs/persistence';
import { Book } from './book.entity.js';
import type { Category } from './category.entity.js';
import { DigitalProduct } from './digital-product.entity.js';
import { Electronic } from './electronic.entity.js';
import type { Product } from './product.entity.js';
import type { NewProduct } from './product.schemas.js';

/** The class of each type of product. */
export const productClasses = { book: Book, electronic: Electronic, digital: DigitalProduct } as const;

/** Makes the entity that a checked input describes; it belongs to the tenant of the current context. */
export function createProduct(input: NewProduct, category: Ref<Category> | null): Product {
  const details = { price: new Money(input.price.amount, input.price.currency), category };
  switch (input.type) {
    case 'book':
      return new Book({ ...input, ...details });
    case 'electronic':
      return new Electronic({ ...input, ...details });
    case 'digital':
      return new DigitalProduct({ ...input, ...details });
  }
}
