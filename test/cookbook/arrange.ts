import type { SqlEntityManager } from '@mikro-orm/sql';
import { Money, newId } from '#libs/persistence';
import { Book, Category, Electronic, Order, OrderLine, Tag } from '#libs/testing';

/** Saves some books and radios, and forgets them, so that recipes read what is stored. */
export async function stock(em: SqlEntityManager): Promise<void> {
  const home = em.create(Category, { name: 'Home' });
  const shelf = em.create(Category, { name: 'Shelf', parent: home });
  const [calm, loud] = [em.create(Tag, { name: 'calm' }), em.create(Tag, { name: 'loud' })];
  const titles = ['Dune', 'Emma', 'Ulysses', '手机 📱'];
  const books = titles.map((name, index) =>
    em.create(Book, {
      sku: `b-${index}`,
      name,
      price: new Money(1000 * (index + 1), 'EUR'),
      isbn: `978-${index}`,
      category: shelf,
    }),
  );
  const radio = em.create(Electronic, {
    sku: 'e-0',
    name: 'Radio',
    price: new Money(4999, 'EUR'),
    warrantyMonths: 24,
    stock: 5,
  });
  books[0]?.tags.add(calm, loud);
  radio.tags.add(loud);
  const order = em.create(Order, {});
  for (const [index, product] of [...books.slice(0, 2), radio].entries()) {
    order.lines.add(em.create(OrderLine, { order, product, quantity: index + 1 }));
  }
  await em.flush();
  em.clear();
}

/** Rows as a caller hands them to a bulk write. */
export function bookRows(count: number) {
  return Array.from({ length: count }, (_, index) => ({
    id: newId(),
    sku: `bulk-${index}`,
    name: `Book ${index}`,
    price: new Money(100 + index, 'EUR'),
    isbn: `979-${index}`,
  }));
}
