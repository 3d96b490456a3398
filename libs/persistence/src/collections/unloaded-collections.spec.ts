import { beforeEach, describe, expect, it } from '@jest/globals';
import { wrap } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { Money, watchStatements } from '#libs/persistence';
import {
  aDatabase,
  aTenant,
  Book,
  Category,
  eachEngine,
  Order,
  OrderLine,
  Product,
  shopModel,
  Tag,
} from '#libs/testing';
import { RecordingSubscriber } from '../events/change-events.fixture.js';
import { ChangeEventsSubscriber } from '../events/change-events.subscriber.js';

function failOn(error: unknown): never {
  throw error;
}

/** Rows that each statement of `work` read. */
async function rowsRead(work: () => Promise<unknown>): Promise<number[]> {
  const rows: number[] = [];
  const stop = watchStatements(({ sql, rows: read }) => {
    if (/^\s*select/i.test(sql)) rows.push(read ?? 0);
  });
  try {
    await work();
    return rows;
  } finally {
    stop();
  }
}

describe('a collection that was not loaded', () => {
  eachEngine((engine) => {
    const seen = new RecordingSubscriber();
    const database = aDatabase(engine, shopModel, {
      subscribers: [new ChangeEventsSubscriber({ subscribers: [seen], onError: failOn })],
    });
    let tenantId: string;
    beforeEach(() => {
      tenantId = aTenant().id;
    });

    const Names = ['one', 'two', 'three', 'four'] as const;

    /** A book with the tags `linked`, and tags it does not have. Returns a unit of work that knows none of them. */
    async function aTaggedBook(...linked: (typeof Names)[number][]) {
      const em = database.fork();
      const price = new Money(4999, 'EUR');
      const book = em.create(Book, { tenantId, sku: 'b-1', name: 'Dune', price, isbn: '978' });
      const [one, two, three, four] = Names.map((name) => em.create(Tag, { tenantId, name })) as [Tag, Tag, Tag, Tag];
      for (const tag of [one, two, three, four]) if (linked.includes(tag.name as never)) book.tags.add(tag);
      await em.flush();
      seen.take();
      return { book, one, two, three, four, em: database.fork() };
    }

    const find = (em: SqlEntityManager, { id }: Book) => em.findOneOrFail(Book, { tenantId, id });
    const reference = (em: SqlEntityManager, { id }: Tag) => em.getReference(Tag, [tenantId, id]);

    async function flushed(em: SqlEntityManager) {
      await em.flush();
      return seen.take();
    }

    async function tagsOf({ id }: Book): Promise<string[]> {
      const book = await database.fork().findOneOrFail(Book, { tenantId, id }, { populate: ['tags'] });
      return book.tags
        .getItems()
        .map(({ name }) => name)
        .sort();
    }

    const linking = ({ id }: Book, { added = [], removed = [] }: { added?: Tag[]; removed?: Tag[] }) => ({
      ...{ kind: 'update', entity: 'Book', key: { tenantId, id }, old: {}, new: {} },
      collections: { tags: { added: added.map((tag) => tag.id), removed: removed.map((tag) => tag.id) } },
    });

    describe('many to many', () => {
      it('lets go of an item, on record, and keeps the others', async () => {
        const { book, one, em } = await aTaggedBook('one', 'two', 'three');
        const loaded = await find(em, book);
        expect(loaded.tags.remove(reference(em, one))).toBe(1);
        expect(await flushed(em)).toEqual([linking(book, { removed: [one] })]);
        expect(loaded.tags.isInitialized()).toBe(false);
        expect(await tagsOf(book)).toEqual(['three', 'two']);
        expect(await flushed(em)).toEqual([]);
      });

      it('reads no link but those that are added or removed', async () => {
        const { book, one, four, em } = await aTaggedBook('one', 'two', 'three');
        const loaded = await find(em, book);
        loaded.tags.remove(reference(em, one));
        loaded.tags.add(reference(em, four));
        expect(Math.max(...(await rowsRead(() => em.flush())))).toBe(1);
        expect(seen.take()).toEqual([linking(book, { added: [four], removed: [one] })]);
        expect(await tagsOf(book)).toEqual(['four', 'three', 'two']);
      });

      it('lets go of an item that it never had without a trace', async () => {
        const { book, four, em } = await aTaggedBook('one', 'two');
        (await find(em, book)).tags.remove(reference(em, four));
        expect(await flushed(em)).toEqual([]);
        expect(await tagsOf(book)).toEqual(['one', 'two']);
      });

      it('has what was removed and added again, whether it had it before or not', async () => {
        const { book, one, four, em } = await aTaggedBook('one', 'two');
        const { tags } = await find(em, book);
        tags.remove(reference(em, one), reference(em, four));
        tags.add(reference(em, one), reference(em, four));
        expect(await flushed(em)).toEqual([linking(book, { added: [four] })]);
        expect(await tagsOf(book)).toEqual(['four', 'one', 'two']);
      });

      it('does not have what was added and removed again, also after a flush', async () => {
        const { book, one, three, four, em } = await aTaggedBook('one', 'two');
        const { tags } = await find(em, book);
        tags.add(reference(em, one), reference(em, four));
        tags.remove(reference(em, one), reference(em, four));
        expect(await flushed(em)).toEqual([linking(book, { removed: [one] })]);
        tags.add(reference(em, three));
        await flushed(em);
        tags.remove(reference(em, three));
        expect(await flushed(em)).toEqual([linking(book, { removed: [three] })]);
        expect(await tagsOf(book)).toEqual(['two']);
      });

      it('lets go from the inverse side, of an owner that nobody has read', async () => {
        const { book, one, two, em } = await aTaggedBook('one', 'two');
        const tag = await em.findOneOrFail(Tag, { tenantId, id: one.id });
        tag.products.remove(em.getReference(Product, [tenantId, book.id]));
        expect(await flushed(em)).toEqual([linking(two && book, { removed: [one] })]);
        expect(await tagsOf(book)).toEqual(['two']);
      });

      it('lets go where the other side is loaded', async () => {
        const { book, one, em } = await aTaggedBook('one', 'two');
        const tag = await em.findOneOrFail(Tag, { tenantId, id: one.id }, { populate: ['products'] });
        const loaded = await find(em, book);
        loaded.tags.remove(tag);
        expect(tag.products.getItems()).toEqual([]);
        expect(await flushed(em)).toEqual([linking(book, { removed: [one] })]);
        expect(await tagsOf(book)).toEqual(['two']);
      });

      it('has let go of an item when it is loaded before the flush', async () => {
        const { book, one, two, em } = await aTaggedBook('one', 'two', 'three');
        const first = await find(em, book);
        first.tags.remove(reference(em, one));
        await first.tags.init();
        expect(
          first.tags
            .getItems()
            .map(({ name }) => name)
            .sort(),
        ).toEqual(['three', 'two']);
        expect(await flushed(em)).toEqual([linking(book, { removed: [one] })]);
        const later = database.fork();
        const second = await find(later, book);
        second.tags.remove(reference(later, two));
        await later.populate(second, ['tags']);
        expect(second.tags.getItems().map(({ name }) => name)).toEqual(['three']);
        expect(await flushed(later)).toEqual([linking(book, { removed: [two] })]);
        expect(await tagsOf(book)).toEqual(['three']);
      });

      it('keeps for the next flush what was to leave in one that failed', async () => {
        const { book, one, four, em } = await aTaggedBook('one', 'two');
        const loaded = await find(em, book);
        loaded.tags.remove(reference(em, one));
        const same = em.create(Tag, { tenantId, name: four.name });
        await expect(em.flush()).rejects.toThrow();
        seen.take();
        em.getUnitOfWork().unsetIdentity(same);
        em.getUnitOfWork().getPersistStack().delete(same);
        expect(await flushed(em)).toEqual([linking(book, { removed: [one] })]);
        expect(await tagsOf(book)).toEqual(['two']);
      });

      it('refuses to remove by a condition, which would see none of its items', async () => {
        const { book, em } = await aTaggedBook('one');
        const { tags } = await find(em, book);
        expect(() => tags.remove(({ name }) => name === 'one')).toThrow('not initialized');
        await tags.init();
        expect(tags.remove(({ name }) => name === 'one')).toBe(1);
      });
    });

    describe('one to many', () => {
      async function anOrder() {
        const { book } = await aTaggedBook();
        const em = database.fork();
        const product = em.getReference(Book, [tenantId, book.id]);
        const [order, other] = [em.create(Order, { tenantId }), em.create(Order, { tenantId })];
        for (const quantity of [1, 2, 3]) em.create(OrderLine, { tenantId, order, product, quantity });
        const foreign = em.create(OrderLine, { tenantId, order: other, product, quantity: 9 });
        await em.flush();
        seen.take();
        return { order, foreign, em: database.fork() };
      }
      const quantities = async () =>
        (await database.fork().find(OrderLine, { tenantId })).map(({ quantity }) => quantity).sort();

      it('deletes an item that leaves its owner, and no other', async () => {
        const { order, em } = await anOrder();
        const { lines } = await em.findOneOrFail(Order, { tenantId, id: order.id });
        const [line] = await lines.matching({ where: { quantity: 2 } });
        expect(lines.remove(line as OrderLine)).toBe(1);
        expect(await flushed(em)).toMatchObject([{ kind: 'delete', entity: 'OrderLine', old: { quantity: 2 } }]);
        expect([lines.isInitialized(), await quantities()]).toEqual([false, [1, 3, 9]]);
      });

      it('leaves the items of other owners alone', async () => {
        const { order, foreign, em } = await anOrder();
        const { lines } = await em.findOneOrFail(Order, { tenantId, id: order.id });
        expect(lines.remove(await em.findOneOrFail(OrderLine, { tenantId, id: foreign.id }))).toBe(0);
        expect(await flushed(em)).toEqual([]);
        expect(await quantities()).toEqual([1, 2, 3, 9]);
      });

      it('refuses an item of which nobody knows whose it is', async () => {
        const { order, foreign, em } = await anOrder();
        const { lines } = await em.findOneOrFail(Order, { tenantId, id: order.id });
        const unread = em.getReference(OrderLine, [tenantId, foreign.id]);
        expect(() => lines.remove(unread)).toThrow(expect.objectContaining({ code: 'item_not_loaded' }));
        await wrap(unread).init();
        expect(lines.remove(unread)).toBe(0);
      });

      it('takes the owner away from an item that may be without', async () => {
        const em = database.fork();
        const home = em.create(Category, { tenantId, name: 'Home' });
        const shelf = em.create(Category, { tenantId, name: 'Shelf', parent: home });
        await em.flush();
        seen.take();
        const later = database.fork();
        const { children } = await later.findOneOrFail(Category, { tenantId, id: home.id });
        children.remove(await later.findOneOrFail(Category, { tenantId, id: shelf.id }));
        expect(await flushed(later)).toMatchObject([
          { kind: 'update', key: { id: shelf.id }, old: { parent: home.id }, new: { parent: null } },
        ]);
      });
    });
  });
});
