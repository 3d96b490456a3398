import { describe, expect, it } from '@jest/globals';
import { Money } from '#libs/persistence';
import { aStrategyWorld, Book, eachStrategy, Order, OrderLine, Product, shopModel, Tag } from '#libs/testing';

const price = new Money(4999, 'EUR');

describe('an isolation strategy', () => {
  eachStrategy((strategy, engine) => {
    const world = aStrategyWorld(engine, shopModel);

    it('keeps what one tenant writes where another does not find it', async () => {
      const [own, other] = [await world.aTenant(strategy, 'own'), await world.aTenant(strategy, 'other')];
      const write = (tenant: typeof own) =>
        world.as(tenant, async (em) => {
          const book = em.create(Book, { sku: 'b-1', name: tenant.slug, price, isbn: '1' });
          book.tags.add(em.create(Tag, { name: tenant.slug }));
          const order = em.create(Order, {});
          em.create(OrderLine, { order, product: book, quantity: 1 });
          await em.flush();
          return book.id;
        });
      const [ownBook, otherBook] = [await write(own), await write(other)];
      for (const [tenant, mine, foreign] of [
        [own, ownBook, otherBook],
        [other, otherBook, ownBook],
      ] as const) {
        await world.as(tenant, async (em) => {
          const found = await em.find(Product, {}, { populate: ['tags'] as never });
          expect(found).toMatchObject([{ id: mine, name: tenant.slug }]);
          expect(found[0]?.tags.getItems()).toMatchObject([{ name: tenant.slug }]);
          expect(await em.fork().findOne(Product, { id: foreign })).toBeNull();
          expect(await em.fork().count(OrderLine, {})).toBe(1);
        });
      }
    });
  });
});
