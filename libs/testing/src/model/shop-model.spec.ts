import { describe, expect, it } from '@jest/globals';
import { ForeignKeyConstraintViolationException, UniqueConstraintViolationException } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { Money } from '#libs/persistence';
import {
  aDatabase,
  aTenant,
  Book,
  CardPayment,
  Category,
  Electronic,
  eachEngine,
  expectStatements,
  Order,
  OrderLine,
  Payment,
  Product,
  shopModel,
  Tag,
} from '../index.js';

const price = () => new Money(4999, 'EUR');

function aBook(em: SqlEntityManager, tenantId: string, rest: Partial<Book> = {}) {
  return em.create(Book, { tenantId, sku: 'b-1', name: 'Dune', price: price(), isbn: '978', ...rest });
}

describe('shop model', () => {
  eachEngine((engine) => {
    const database = aDatabase(engine, shopModel);

    it('saves both tables of a class-table entity and finds it by its base class', async () => {
      const { id: tenantId } = aTenant();
      const em = database.fork();
      const { id } = aBook(em, tenantId, { attributes: { cover: 'hard' }, labels: ['a', 'b'] });
      em.create(Electronic, { tenantId, sku: 'e-1', name: 'Radio', price: price(), warrantyMonths: 24 });
      await em.flush();
      const found = await database.fork().findOneOrFail(Product, { tenantId, id });
      expect(found).toBeInstanceOf(Book);
      expect(found).toMatchObject({ type: 'book', isbn: '978', version: 1, price: { amount: 4999, currency: 'EUR' } });
      expect(found).toMatchObject({ attributes: { cover: 'hard' }, labels: ['a', 'b'] });
      expect(await database.fork().count(Product, { tenantId })).toBe(2);
    });

    it('finds nothing to flush in what it has just loaded', async () => {
      const { id: tenantId } = aTenant();
      const em = database.fork();
      const category = em.create(Category, { tenantId, name: 'Books' });
      const book = aBook(em, tenantId, { attributes: { b: 1, a: 2 } });
      book.category = em.getReference(Category, [tenantId, category.id], { wrapped: true });
      const order = em.create(Order, { tenantId });
      order.lines.add(em.create(OrderLine, { tenantId, order, product: book, quantity: 2 }));
      em.create(CardPayment, { tenantId, amount: price(), lastFour: '4242' });
      await em.flush();
      const again = database.fork();
      await again.find(Product, { tenantId }, { populate: ['category'] });
      await again.find(Order, { tenantId }, { populate: ['lines.product'] });
      await again.find(Payment, { tenantId });
      await expectStatements(database, 0, () => again.flush());
    });

    it('deletes a line that leaves its order', async () => {
      const { id: tenantId } = aTenant();
      const em = database.fork();
      const order = em.create(Order, { tenantId });
      order.lines.add(em.create(OrderLine, { tenantId, order, product: aBook(em, tenantId), quantity: 2 }));
      await em.flush();
      order.lines.removeAll();
      await em.flush();
      expect(await database.fork().count(OrderLine, { tenantId })).toBe(0);
    });

    it('links products and tags through one tenant column', async () => {
      const { id: tenantId } = aTenant();
      const em = database.fork();
      const book = aBook(em, tenantId);
      book.tags.add(em.create(Tag, { tenantId, name: 'scifi' }));
      await em.flush();
      const [row, ...others] = await database
        .fork()
        .execute('select * from product_tag where tenant_id = ?', [tenantId]);
      expect(others).toEqual([]);
      expect(row).toEqual({ tenant_id: tenantId, product_id: book.id, tag_id: book.tags[0]?.id });
    });

    it('refuses a tag, a category and a product of another tenant, in the database itself', async () => {
      const [acme, globex] = [aTenant('acme'), aTenant('globex')];
      const em = database.fork();
      const [category, tag] = [
        em.create(Category, { tenantId: globex.id, name: 'Books' }),
        em.create(Tag, { tenantId: globex.id, name: 'scifi' }),
      ];
      const book = aBook(em, acme.id);
      await em.flush();
      const link = (sql: string, values: string[]) => database.fork().execute(sql, values);
      await expect(
        link('update product set category_id = ? where tenant_id = ? and id = ?', [category.id, acme.id, book.id]),
      ).rejects.toThrow(ForeignKeyConstraintViolationException);
      await expect(
        link('insert into product_tag (tenant_id, product_id, tag_id) values (?, ?, ?)', [acme.id, book.id, tag.id]),
      ).rejects.toThrow(ForeignKeyConstraintViolationException);
    });

    it('keeps a sku unique within a tenant, not across tenants', async () => {
      const em = database.fork();
      const acme = aTenant();
      aBook(em, acme.id);
      aBook(em, aTenant().id);
      await em.flush();
      aBook(em, acme.id);
      await expect(em.flush()).rejects.toThrow(UniqueConstraintViolationException);
    });
  });
});
