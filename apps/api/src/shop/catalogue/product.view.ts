import { Book } from './book.entity.js';
import { DigitalProduct } from './digital-product.entity.js';
import { Electronic } from './electronic.entity.js';
import type { Product } from './product.entity.js';

/** What only this product's type has. */
function ownDetails(product: Product) {
  if (product instanceof Book) return { isbn: product.isbn };
  if (product instanceof Electronic) return { warrantyMonths: product.warrantyMonths };
  if (product instanceof DigitalProduct) return { downloadSizeKb: product.downloadSizeKb };
  return {};
}

/** A product as the API shows it. */
export function toProductView(product: Product) {
  const { id, type, sku, name, price, stock, tags, category, version, createdAt, updatedAt } = product;
  return {
    id,
    type,
    sku,
    name,
    price: { amount: price.amount, currency: price.currency },
    stock,
    tags,
    categoryId: category?.id ?? null,
    ...ownDetails(product),
    version,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}
