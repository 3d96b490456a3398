import { beforeAll, describe, expect, it } from '@jest/globals';
import { Reference, wrap } from '@mikro-orm/core';
import { aDatabase, aTenant, Book, Category, eachEngine, shopModel, Tag } from '#libs/testing';
import { Money } from '../index.js';

describe('loaded entities', () => {
  eachEngine((engine) => {
    const database = aDatabase(engine, shopModel);
    const { id: tenantId } = aTenant();

    beforeAll(async () => {
      const em = database.fork();
      for (const sku of ['a', 'b']) {
        const category = em.create(Category, { tenantId, name: sku });
        em.create(Book, { tenantId, sku, name: sku, price: new Money(1, 'EUR'), isbn: '1', category });
      }
      await em.flush();
    });

    const twoBooks = async () => {
      const em = database.fork();
      const books = await em.find(Book, { tenantId }, { orderBy: { sku: 'asc' } });
      expect(books).toHaveLength(2);
      return { em, books, one: books[0] as Book, other: books[1] as Book };
    };
    const property = (it: object, name: string) => Object.getOwnPropertyDescriptor(it, name);

    it('have plain scalar properties, and share the functions of the others', async () => {
      const { one, other } = await twoBooks();
      expect(property(one, 'name')).toMatchObject({ value: 'a', writable: true, enumerable: true });
      expect(property(one, 'price')).toMatchObject({ get: expect.any(Function), enumerable: true });
      for (const name of ['price', 'category']) expect(property(one, name)).toEqual(property(other, name));
      for (const name of ['price', 'category']) expect(property(one, name)?.get).toBe(property(other, name)?.get);
      expect(Object.keys(one)).toEqual(expect.arrayContaining(['name', 'price', 'category', 'isbn']));
    });

    it('share the functions of their references, which are what they were', async () => {
      const { em, one, other } = await twoBooks();
      const reference = one.category as object;
      expect(reference).toBeInstanceOf(Reference);
      expect(Reference.isReference(reference)).toBe(true);
      expect(property(reference, 'id')).toMatchObject({ get: expect.any(Function), enumerable: false });
      expect(property(reference, 'id')?.get).toBe(property(other.category as object, 'id')?.get);
      expect(one.category).toMatchObject({ tenantId, id: one.category?.unwrap().id });
      expect(wrap(one.category?.unwrap() as Category).toReference()).toBe(reference);
      expect(JSON.stringify(one)).toContain(`"category":{"tenantId":"${tenantId}"`);
      expect((await one.category?.loadOrFail())?.name).toBe('a');
      expect(em.getUnitOfWork().getIdentityMap().values()).toContain(one.category?.unwrap());
    });

    it('tell every change, of plain and of other properties', async () => {
      const { em, one, other } = await twoBooks();
      Object.assign(one, { name: 'changed', price: new Money(2, 'USD'), category: other.category });
      await em.flush();
      const again = await database.fork().findOneOrFail(Book, { tenantId, id: one.id });
      expect(again).toMatchObject({ name: 'changed', price: { amount: 2, currency: 'USD' }, version: 2 });
      expect(again.category?.id).toBe(other.category?.id);
      expect((await database.fork().findOneOrFail(Book, { tenantId, id: other.id })).version).toBe(1);
    });

    it('come out of a nested transaction as that one left them', async () => {
      const { em, one } = await twoBooks();
      await em.transactional(async (inner) => {
        const same = await inner.findOneOrFail(Book, { tenantId, id: one.id });
        Object.assign(same, { name: 'inside', price: new Money(3, 'EUR'), category: undefined });
      });
      expect(one).toMatchObject({ name: 'inside', price: { amount: 3, currency: 'EUR' } });
      em.getUnitOfWork().computeChangeSets();
      expect(em.getUnitOfWork().getChangeSets()).toEqual([]);
    });

    it('keep both sides of a relation together', async () => {
      const { em, one } = await twoBooks();
      const tag = em.create(Tag, { tenantId, name: 'both' });
      await one.tags.loadItems();
      one.tags.add(tag);
      expect(tag.products.contains(one)).toBe(true);
    });
  });
});
