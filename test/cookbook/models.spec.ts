import { describe, expect, it } from '@jest/globals';
import { Entity, Property } from '@mikro-orm/decorators/legacy';
import { currentContext } from '#libs/context';
import { bulkInsert, bulkUpdate, Money, streamRows, TenantOwned } from '#libs/persistence';
import {
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
  Tag,
  WalletPayment,
} from '#libs/testing';
import { aCookbookShop } from './a-cookbook-shop.js';
import { stock } from './arrange.js';

// #region column-name
@Entity({ tableName: 'journey' })
class Journey extends TenantOwned {
  @Property({ type: 'string', name: 'from', length: 80 })
  origin!: string;

  @Property({ type: 'integer', name: 'group' })
  position!: number;
}
// #endregion

describe('models', () => {
  eachEngine((engine) => {
    const { database, forTenant } = aCookbookShop(engine, [], { entities: [Journey] });

    it('finds every kind of a class-table hierarchy by its base class', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region class-table
        const products = await em.find(Product, {}, { orderBy: { sku: 'asc' } });
        const kinds = products.map((it) => (it instanceof Book ? `${it.name} ${it.isbn}` : it.name));

        const radio = await em.findOneOrFail(Electronic, { warrantyMonths: { $gte: 24 } }); // a column of its own table
        const books = await em.count(Product, { type: 'book' }); // the kind, in the root table: no join
        // #endregion
        expect(kinds).toEqual(['Dune 978-0', 'Emma 978-1', 'Ulysses 978-2', '手机 📱 978-3', 'Radio']);
        expect([radio.name, books]).toEqual(['Radio', 4]);
      }));

    it('keeps all kinds of a single-table hierarchy in one table', () =>
      forTenant(async (em) => {
        // #region single-table
        em.create(CardPayment, { amount: new Money(1999, 'EUR'), lastFour: '4242' });
        em.create(WalletPayment, { amount: new Money(500, 'EUR'), walletId: 'w-1' });
        await em.flush();

        const cards = await em.fork().find(CardPayment, {}); // where method = 'card'
        const all = await em.fork().find(Payment, {}, { orderBy: { method: 'asc' } });
        // #endregion
        expect(cards).toHaveLength(1);
        expect(all.map((it) => it.constructor)).toEqual([CardPayment, WalletPayment]);
      }));

    it('reads a value object from its columns, and finds by a part of it', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region value-object
        const cheap = await em.find(Product, { price: { amount: { $lt: 2000 }, currency: 'EUR' } });
        // #endregion
        expect(cheap.map(({ price }) => price)).toEqual([new Money(1000, 'EUR')]);
      }));

    it('tells the length of a column from the mapping', () => {
      // #region metadata
      const { properties } = database.orm.getMetadata().get(Product);
      expect(properties.name).toMatchObject({ fieldNames: ['name'], length: 200 });
      // #endregion
    });

    it('calls a property otherwise than its column, whatever word of SQL that is', () =>
      forTenant(async (em) => {
        // #region column-name-used
        em.create(Journey, { origin: 'Ulm', position: 2 });
        await em.flush();
        await bulkInsert(em, Journey, [{ origin: 'Bonn', position: 1 }]);
        await bulkUpdate(em, Journey, { where: { origin: 'Ulm' }, set: { position: 3 } });
        const journeys = await em.fork().find(Journey, { origin: { $like: '%n%' } }, { orderBy: { origin: 'asc' } });
        const { properties } = em.getMetadata().get(Journey);
        // #endregion
        expect(journeys.map(({ origin, position }) => [origin, position])).toEqual([['Bonn', 1]]);
        expect(properties.origin).toMatchObject({ fieldNames: ['from'], length: 80 });
        const streamed = [];
        for await (const row of streamRows(em, Journey, {
          fields: ['origin'],
          orderBy: [{ path: 'origin', direction: 'asc' }],
        }))
          streamed.push(row);
        expect(streamed.map(({ origin }) => origin)).toEqual(['Bonn', 'Ulm']);
        // By hand it has its own name, in the quotes of the product.
        const tables = em.getKysely<{ journey: { tenant_id: string; from: string; group: number } }>();
        const found = await tables
          .selectFrom('journey')
          .select(['from', 'group'])
          .where('tenant_id', '=', currentContext().getTenant().id)
          .orderBy('from')
          .execute();
        expect(found).toEqual([
          { from: 'Bonn', group: 1 },
          { from: 'Ulm', group: 3 },
        ]);
      }));

    it('walks a tree that refers to itself', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region self-reference
        const shelf = await em.findOneOrFail(Category, { name: 'Shelf' }, { populate: ['parent', 'children'] });
        const parent = shelf.parent?.getEntity().name;
        // #endregion
        expect([parent, shelf.children.length]).toEqual(['Home', 0]);
      }));

    it('links many to many from either side', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region many-to-many
        const dune = await em.findOneOrFail(Book, { sku: 'b-0' }, { populate: ['tags'] });
        const calm = await em.findOneOrFail(Tag, { name: 'calm' });
        dune.tags.remove(calm);
        dune.tags.add(em.create(Tag, { name: 'desert' }));
        await em.flush();
        // #endregion
        const again = await em.fork().findOneOrFail(Book, { sku: 'b-0' }, { populate: ['tags'] });
        expect(
          again.tags
            .getItems()
            .map(({ name }) => name)
            .sort(),
        ).toEqual(['desert', 'loud']);
      }));

    it('deletes what leaves its owner', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region orphan-removal
        const order = await em.findOneOrFail(Order, { status: 'open' }, { populate: ['lines'] });
        order.lines.remove((line) => line.quantity < 3);
        await em.flush(); // the lines are deleted
        // #endregion
        const again = await em.fork().findOneOrFail(Order, { id: order.id }, { populate: ['lines'] });
        expect(again.lines.getItems().map(({ quantity }) => quantity)).toEqual([3]);
      }));

    it('works with a large collection without loading it', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region large-collection
        const loud = await em.findOneOrFail(Tag, { name: 'loud' });
        const howMany = await loud.products.loadCount();
        const page = await loud.products.matching({ where: { type: 'book' }, orderBy: { sku: 'asc' }, limit: 10 });
        const calm = await em.findOneOrFail(Tag, { name: 'calm' });
        for (const product of page) {
          calm.products.add(product); // no other row is read for it
          loud.products.remove(product);
        }
        await em.flush();
        // #endregion
        expect([howMany, page.map(({ name }) => name), loud.products.isInitialized()]).toEqual([2, ['Dune'], false]);
        await expectStatements(database, 1, async () => expect(await loud.products.loadCount(true)).toBe(1));
      }));

    it('adds to a large collection, removes from it and pages through it, and reads none of its other rows', () =>
      forTenant(async (em) => {
        await stock(em);
        const calm = await em.findOneOrFail(Tag, { name: 'calm' });
        const book = await em.findOneOrFail(Product, { name: 'Ulysses' });
        book.tags.add(calm);
        await em.flush();
        expect([book.tags.isInitialized(), await calm.products.loadCount(true)]).toEqual([false, 2]);
        const order = await em.findOneOrFail(Order, { status: 'open' });
        const before = await order.lines.loadCount();
        order.lines.add(em.create(OrderLine, { order, product: book, quantity: 9 }));
        await em.flush();
        const page = await order.lines.matching({
          where: { quantity: { $gt: 2 } },
          orderBy: { quantity: 'desc' },
          limit: 1,
        });
        expect([order.lines.isInitialized(), page.map(({ quantity }) => quantity)]).toEqual([false, [9]]);
        expect(await order.lines.loadCount(true)).toBe(before + 1);
        order.lines.remove(page);
        await em.flush();
        expect([order.lines.isInitialized(), await order.lines.loadCount(true)]).toEqual([false, before]);
      }));
  });
});
