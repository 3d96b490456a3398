import { beforeEach, describe, expect, it } from '@jest/globals';
import { raw } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { Money } from '#libs/persistence';
import {
  aDatabase,
  aTenant,
  Book,
  CardPayment,
  Category,
  eachEngine,
  expectStatements,
  Order,
  OrderLine,
  Payment,
  Product,
  shopModel,
  Tag,
} from '#libs/testing';
import { Cover, Ledger, ledgerModel, Page, RecordingSubscriber } from './change-events.fixture.js';
import { ChangeEventsSubscriber } from './change-events.subscriber.js';

function failOn(error: unknown): never {
  throw error;
}

describe('changes of the unit of work', () => {
  eachEngine((engine) => {
    const seen = new RecordingSubscriber();
    const database = aDatabase(engine, [...shopModel, ...ledgerModel], {
      subscribers: [new ChangeEventsSubscriber({ subscribers: [seen], onError: failOn })],
    });
    let tenantId: string;
    beforeEach(() => {
      tenantId = aTenant().id;
    });

    const aBook = (em: SqlEntityManager, rest: Partial<Book> = {}) =>
      em.create(Book, { tenantId, sku: 'b-1', name: 'Dune', price: new Money(4999, 'EUR'), isbn: '978', ...rest });

    /** Saves what `fill` makes, and forgets that it was seen. Returns a fresh EntityManager. */
    async function given<T>(fill: (em: SqlEntityManager) => T): Promise<[T, SqlEntityManager]> {
      const em = database.fork();
      const made = fill(em);
      await em.flush();
      seen.take();
      return [made, database.fork()];
    }

    async function flushed(em: SqlEntityManager) {
      await em.flush();
      return seen.take();
    }

    describe('create', () => {
      it('shows every stored property, both tables of a class-table entity in one change', async () => {
        const em = database.fork();
        const book = aBook(em, { labels: ['new'], attributes: { cover: 'hard' } });
        expect(await flushed(em)).toEqual([
          {
            kind: 'create',
            entity: 'Book',
            key: { tenantId, id: book.id },
            new: {
              type: 'book',
              sku: 'b-1',
              name: 'Dune',
              'price.amount': 4999,
              'price.currency': 'EUR',
              stock: 0,
              labels: ['new'],
              attributes: { cover: 'hard' },
              category: null,
              version: 1,
              createdAt: book.createdAt,
              updatedAt: book.updatedAt,
              isbn: '978',
            },
          },
        ]);
      });

      it('shows a key that the database made', async () => {
        const em = database.fork();
        const ledger = em.create(Ledger, { name: 'Cash' });
        const [change] = await flushed(em);
        expect(ledger.id).toBeGreaterThan(0);
        expect(change).toEqual({
          kind: 'create',
          entity: 'Ledger',
          key: { id: ledger.id },
          new: { name: 'Cash', balance: 0, limit: null, marks: null },
        });
      });

      it('names the concrete class of a single-table entity and its discriminator', async () => {
        const em = database.fork();
        em.create(CardPayment, { tenantId, amount: new Money(100, 'EUR'), lastFour: '4242' });
        expect(await flushed(em)).toMatchObject([
          { kind: 'create', entity: 'CardPayment', new: { method: 'card', lastFour: '4242', cardToken: null } },
        ]);
      });

      it('shows the keys of relations without the tenant id both sides share', async () => {
        const em = database.fork();
        const parent = em.create(Category, { tenantId, name: 'Media' });
        const child = em.create(Category, { tenantId, name: 'Books' });
        child.parent = em.getReference(Category, [tenantId, parent.id], { wrapped: true });
        const changes = await flushed(em);
        expect(changes).toHaveLength(2);
        expect(changes).toContainEqual({
          kind: 'create',
          entity: 'Category',
          key: { tenantId, id: child.id },
          new: { name: 'Books', parent: parent.id },
        });
      });

      it('shows the result of an SQL expression', async () => {
        const em = database.fork();
        em.create(Ledger, { name: 'Cash', balance: raw('40 + 2') });
        expect(await flushed(em)).toMatchObject([{ kind: 'create', new: { balance: 42 } }]);
      });
    });

    describe('update', () => {
      it('shows the changed property, the version and the hook-made time, and nothing else', async () => {
        const [book, em] = await given((em) => aBook(em));
        const loaded = await em.findOneOrFail(Book, { tenantId, id: book.id });
        loaded.isbn = '979';
        expect(await flushed(em)).toEqual([
          {
            kind: 'update',
            entity: 'Book',
            key: { tenantId, id: book.id },
            old: { isbn: '978', version: 1, updatedAt: book.updatedAt },
            new: { isbn: '979', version: 2, updatedAt: loaded.updatedAt },
          },
        ]);
      });

      it('merges both tables of a class-table entity that was found by its base class', async () => {
        const [{ id }, em] = await given((em) => aBook(em));
        const loaded = (await em.findOneOrFail(Product, { tenantId, id })) as Book;
        loaded.name = 'Dune II';
        loaded.isbn = '979';
        expect(await flushed(em)).toMatchObject([
          { entity: 'Book', old: { name: 'Dune', isbn: '978' }, new: { name: 'Dune II', isbn: '979', version: 2 } },
        ]);
      });

      it('shows embedded values by path', async () => {
        const [{ id }, em] = await given((em) => aBook(em));
        const loaded = await em.findOneOrFail(Book, { tenantId, id });
        loaded.price = new Money(3999, 'EUR');
        const [change] = await flushed(em);
        expect(change).toMatchObject({ old: { 'price.amount': 4999 }, new: { 'price.amount': 3999 } });
        expect(change?.new).not.toHaveProperty('price.currency');
      });

      it('shows a relation that is set, moved and cleared', async () => {
        const [[book, one, two], em] = await given((em) => {
          const category = (name: string) => em.create(Category, { tenantId, name });
          return [aBook(em), category('One'), category('Two')] as const;
        });
        const loaded = await em.findOneOrFail(Book, { tenantId, id: book.id });
        const moves: unknown[] = [];
        for (const target of [one, two, undefined]) {
          loaded.category = target && em.getReference(Category, [tenantId, target.id], { wrapped: true });
          const [change] = await flushed(em);
          moves.push([Reflect.get(Object(change?.old), 'category'), Reflect.get(Object(change?.new), 'category')]);
        }
        expect(moves).toEqual([
          [null, one.id],
          [one.id, two.id],
          [two.id, null],
        ]);
      });

      it('is none when what is stored is assigned again, in whatever form', async () => {
        const [{ id, createdAt }, em] = await given((em) =>
          aBook(em, { attributes: { b: 1, a: { y: [1, 2], x: 2 } } }),
        );
        const loaded = await em.findOneOrFail(Book, { tenantId, id });
        await expectStatements(database, 0, async () => {
          loaded.name = 'Dune';
          loaded.attributes = { a: { x: 2, y: [1, 2] }, b: 1 };
          loaded.price = new Money(4999, 'EUR');
          Object.assign(loaded, { createdAt: new Date(createdAt.toISOString().replace('Z', '+00:00')) });
          await em.flush();
        });
        expect(seen.take()).toEqual([]);
      });

      it('shows JSON whose content changed, and an order of list items that changed', async () => {
        const [{ id }, em] = await given((em) => aBook(em, { attributes: { a: 1 }, labels: ['x', 'y'] }));
        const loaded = await em.findOneOrFail(Book, { tenantId, id });
        loaded.attributes = { a: 2 };
        loaded.labels = ['y', 'x'];
        expect(await flushed(em)).toMatchObject([
          { old: { attributes: { a: 1 }, labels: ['x', 'y'] }, new: { attributes: { a: 2 }, labels: ['y', 'x'] } },
        ]);
      });

      it('shows what a custom type makes readable', async () => {
        const [{ id }, em] = await given((em) => em.create(Ledger, { name: 'Cash', marks: ['a'] }));
        (await em.findOneOrFail(Ledger, id)).marks = ['a', 'b'];
        expect(await flushed(em)).toMatchObject([{ old: { marks: ['a'] }, new: { marks: ['a', 'b'] } }]);
      });

      it('shows the result of an SQL expression, on a versioned entity too, and the entity has it', async () => {
        const [[book, ledger], em] = await given(
          (em) => [aBook(em, { stock: 5 }), em.create(Ledger, { name: 'Cash' })] as const,
        );
        const loaded = await em.findOneOrFail(Book, { tenantId, id: book.id });
        const cash = await em.findOneOrFail(Ledger, ledger.id);
        loaded.stock = raw('stock - 2') as unknown as number;
        cash.balance = raw('balance + 7') as unknown as number;
        const changes = await flushed(em);
        expect(changes).toContainEqual(
          expect.objectContaining({ entity: 'Ledger', old: { balance: 0 }, new: { balance: 7 } }),
        );
        expect(changes).toMatchObject([{}, {}].map(() => ({ kind: 'update' })));
        expect(changes.find(({ entity }) => entity === 'Book')).toMatchObject({
          old: { stock: 5, version: 1 },
          new: { stock: 3, version: 2 },
        });
        expect([loaded.stock, cash.balance]).toEqual([3, 7]);
        loaded.stock = 1;
        expect(await flushed(em)).toMatchObject([{ old: { stock: 3, version: 2 }, new: { stock: 1, version: 3 } }]);
      });

      it('has the true old value of what was not loaded', async () => {
        const [{ id }, em] = await given((em) => aBook(em));
        const partial = await em.findOneOrFail(Book, { tenantId, id }, { fields: ['sku', 'version'] });
        Object.assign(partial, { name: 'Dune II' });
        expect(await flushed(em)).toMatchObject([{ entity: 'Book', old: { name: 'Dune' }, new: { name: 'Dune II' } }]);
      });

      it('asks nothing for old values that are in memory', async () => {
        const [{ id }, em] = await given((em) => aBook(em));
        const loaded = await em.findOneOrFail(Book, { tenantId, id });
        loaded.name = 'Dune II';
        const selects = (await database.statementsOf(() => em.flush())).filter((sql) => sql.includes('for update'));
        const [change] = seen.take();
        expect(selects).toEqual([]);
        loaded.name = 'Dune III';
        const statements = await database.statementsOf(() => em.flush());
        expect(statements.filter((sql) => sql.includes('for update'))).toEqual([]);
        expect(change).toMatchObject({ old: { version: 1 }, new: { version: 2 } });
        expect(seen.take()).toMatchObject([
          { old: { name: 'Dune II', version: 2 }, new: { name: 'Dune III', version: 3 } },
        ]);
      });

      it('has the true old value behind a bare reference, and none when it was the same', async () => {
        const [[cash, bank], em] = await given(
          (em) =>
            [em.create(Ledger, { name: 'Cash', balance: 3 }), em.create(Ledger, { name: 'Bank', balance: 4 })] as const,
        );
        em.getReference(Ledger, cash.id).balance = 9;
        em.getReference(Ledger, bank.id).balance = 4;
        const statements = await database.statementsOf(() => em.flush());
        expect(seen.take()).toEqual([
          { kind: 'update', entity: 'Ledger', key: { id: cash.id }, old: { balance: 3 }, new: { balance: 9 } },
        ]);
        expect(statements.filter((sql) => sql.startsWith('select'))).toHaveLength(1);
      });

      it('shows a one-to-one relation on its owner when it is changed from the inverse side', async () => {
        const [[one, two, cover], em] = await given((em) => {
          const [one, two] = [em.create(Ledger, { name: 'One' }), em.create(Ledger, { name: 'Two' })];
          return [one, two, em.create(Cover, { colour: 'red', ledger: one })] as const;
        });
        const target = await em.findOneOrFail(Ledger, two.id, { populate: ['cover'] });
        target.cover = (await em.findOneOrFail(Cover, cover.id, { populate: ['ledger'] })) as never;
        expect(await flushed(em)).toEqual([
          { kind: 'update', entity: 'Cover', key: { id: cover.id }, old: { ledger: one.id }, new: { ledger: two.id } },
        ]);
      });

      it('shows both sides of a one-to-one relation that is handed on', async () => {
        const [[one, red, blue], em] = await given((em) => {
          const one = em.create(Ledger, { name: 'One' });
          return [one, em.create(Cover, { colour: 'red', ledger: one }), em.create(Cover, { colour: 'blue' })] as const;
        });
        const ledger = await em.findOneOrFail(Ledger, one.id, { populate: ['cover'] });
        ledger.cover = (await em.findOneOrFail(Cover, blue.id)) as never;
        const changes = await flushed(em);
        const of = (cover: Cover) => changes.find(({ key }) => (key as Cover).id === cover.id);
        expect(changes).toHaveLength(2);
        expect(of(red)).toMatchObject({ old: { ledger: one.id }, new: { ledger: null } });
        expect(of(blue)).toMatchObject({ old: { ledger: null }, new: { ledger: one.id } });
      });
    });

    describe('delete', () => {
      const lastState = {
        type: 'book',
        sku: 'b-1',
        name: 'Dune',
        'price.amount': 4999,
        isbn: '978',
        version: 1,
        stock: 0,
      };

      it('shows the whole last state', async () => {
        const [{ id }, em] = await given((em) => aBook(em));
        em.remove(await em.findOneOrFail(Book, { tenantId, id }));
        expect(await flushed(em)).toEqual([
          { kind: 'delete', entity: 'Book', key: { tenantId, id }, old: expect.objectContaining(lastState) },
        ]);
      });

      it('shows the whole last state of a row removed by reference, even by its base class', async () => {
        const [[one, two], em] = await given((em) => [aBook(em), aBook(em, { sku: 'b-2' })] as const);
        em.remove(em.getReference(Book, [tenantId, one.id]));
        em.remove(em.getReference(Product, [tenantId, two.id]));
        const changes = await flushed(em);
        expect(changes).toHaveLength(2);
        expect(changes).toContainEqual(
          expect.objectContaining({
            kind: 'delete',
            entity: 'Book',
            key: { tenantId, id: one.id },
            old: expect.objectContaining(lastState),
          }),
        );
        expect(changes).toContainEqual(
          expect.objectContaining({
            kind: 'delete',
            entity: 'Book',
            key: { tenantId, id: two.id },
            old: expect.objectContaining({ ...lastState, sku: 'b-2' }),
          }),
        );
      });

      it('shows a lazy property that nobody loaded', async () => {
        const [{ id }, em] = await given((em) => {
          const ledger = em.create(Ledger, { name: 'Cash' });
          return em.create(Page, { ledger, text: 'long' });
        });
        em.remove(await em.findOneOrFail(Page, id));
        expect(await flushed(em)).toMatchObject([{ kind: 'delete', entity: 'Page', old: { text: 'long' } }]);
      });

      it('is none for a row that had gone already', async () => {
        const [{ id }, em] = await given((em) => em.create(Ledger, { name: 'Cash' }));
        await em.nativeDelete(Ledger, { id });
        em.remove(em.getReference(Ledger, id));
        expect(await flushed(em)).toEqual([]);
      });

      it('shows orphans of a loaded collection', async () => {
        const [order, em] = await given((em) => {
          const order = em.create(Order, { tenantId });
          order.lines.add(em.create(OrderLine, { tenantId, order, product: aBook(em), quantity: 2 }));
          return order;
        });
        const loaded = await em.findOneOrFail(Order, { tenantId, id: order.id }, { populate: ['lines'] });
        loaded.lines.removeAll();
        expect(await flushed(em)).toMatchObject([
          { kind: 'delete', entity: 'OrderLine', old: { order: order.id, quantity: 2 } },
        ]);
      });

      it('shows orphans of a collection that was cleared without being loaded', async () => {
        const [order, em] = await given((em) => {
          const order = em.create(Order, { tenantId });
          const product = aBook(em);
          order.lines.add(em.create(OrderLine, { tenantId, order, product, quantity: 2 }));
          order.lines.add(em.create(OrderLine, { tenantId, order, product, quantity: 3 }));
          return order;
        });
        const loaded = await em.findOneOrFail(Order, { tenantId, id: order.id });
        loaded.lines.removeAll();
        const changes = await flushed(em);
        expect(changes.map(({ kind, entity, old }) => [kind, entity, (old as OrderLine).quantity]).sort()).toEqual([
          ['delete', 'OrderLine', 2],
          ['delete', 'OrderLine', 3],
        ]);
        expect(await database.fork().count(OrderLine, { tenantId })).toBe(0);
      });

      it('shows rows that the database deletes and unlinks in cascade', async () => {
        const [[ledger, other, cover], em] = await given((em) => {
          const [ledger, other] = [em.create(Ledger, { name: 'Cash' }), em.create(Ledger, { name: 'Bank' })];
          const cover = em.create(Cover, { colour: 'red' });
          Object.assign(cover, { ledger });
          return [ledger, other, cover] as const;
        });
        const [inside, outside] = await (async () => {
          const fill = database.fork();
          const inside = fill.create(Page, { ledger: ledger.id as never, text: 'in' });
          const outside = fill.create(Page, { ledger: other.id as never, next: inside as never });
          await fill.flush();
          return [inside, outside];
        })();
        seen.take();
        em.remove(em.getReference(Ledger, ledger.id));
        const changes = await flushed(em);
        expect(changes).toHaveLength(4);
        expect(changes).toContainEqual(
          expect.objectContaining({ kind: 'delete', entity: 'Ledger', key: { id: ledger.id } }),
        );
        expect(changes).toContainEqual(
          expect.objectContaining({
            kind: 'delete',
            entity: 'Page',
            key: { id: inside.id },
            old: expect.objectContaining({ text: 'in' }),
          }),
        );
        expect(changes).toContainEqual(
          expect.objectContaining({
            kind: 'update',
            entity: 'Page',
            key: { id: outside.id },
            old: { next: inside.id },
            new: { next: null },
          }),
        );
        expect(changes).toContainEqual(
          expect.objectContaining({
            kind: 'update',
            entity: 'Cover',
            key: { id: cover.id },
            old: { ledger: ledger.id },
            new: { ledger: null },
          }),
        );
        expect(await database.fork().findOne(Page, inside.id)).toBeNull();
      });
    });

    describe('many to many', () => {
      const tags = (em: SqlEntityManager, ...names: string[]) =>
        names.map((name) => em.create(Tag, { tenantId, name }));

      async function aTaggedBook(...linked: string[]) {
        return given((em) => {
          const [one, two, three] = tags(em, 'one', 'two', 'three') as [Tag, Tag, Tag];
          const book = aBook(em);
          for (const tag of [one, two, three]) if (linked.includes(tag.name)) book.tags.add(tag);
          return { book, one, two, three };
        });
      }

      const reference = (em: SqlEntityManager, tag: Tag) => em.getReference(Tag, [tenantId, tag.id]);
      const linking = (book: Book, added: Tag[], removed: Tag[] = []) => ({
        kind: 'update',
        entity: 'Book',
        key: { tenantId, id: book.id },
        old: {},
        new: {},
        collections: { tags: { added: added.map(({ id }) => id), removed: removed.map(({ id }) => id) } },
      });

      it('is part of the change that creates the owner', async () => {
        const em = database.fork();
        const book = aBook(em);
        const [tag] = tags(em, 'one');
        book.tags.add(tag as Tag);
        const changes = await flushed(em);
        expect(changes.map(({ entity }) => entity).sort()).toEqual(['Book', 'Tag']);
        expect(changes.find(({ entity }) => entity === 'Book')).toMatchObject({
          kind: 'create',
          collections: { tags: { added: [tag?.id], removed: [] } },
        });
      });

      it('shows links added and removed in a loaded collection', async () => {
        const [{ book, one, two, three }, em] = await aTaggedBook('one', 'two');
        const loaded = await em.findOneOrFail(Book, { tenantId, id: book.id }, { populate: ['tags'] });
        loaded.tags.remove(reference(em, one));
        loaded.tags.add(reference(em, three));
        expect(await flushed(em)).toEqual([linking(two && book, [three], [one])]);
      });

      it('shows a link added to a collection that was not loaded, and none when it was there', async () => {
        const [{ book, one, two }, em] = await aTaggedBook('one');
        const loaded = await em.findOneOrFail(Book, { tenantId, id: book.id });
        loaded.tags.add(reference(em, one), reference(em, two));
        expect(await flushed(em)).toEqual([linking(book, [two])]);
      });

      it('shows what replaces a collection that was not loaded', async () => {
        const [{ book, one, two, three }, em] = await aTaggedBook('one', 'two');
        const loaded = await em.findOneOrFail(Book, { tenantId, id: book.id });
        loaded.tags.set([reference(em, two), reference(em, three)]);
        expect(await flushed(em)).toEqual([linking(book, [three], [one])]);
      });

      it('shows what is removed from a collection that was not loaded', async () => {
        const [{ book, one, two }, em] = await aTaggedBook('one', 'two');
        const loaded = await em.findOneOrFail(Book, { tenantId, id: book.id });
        loaded.tags.removeAll();
        const [change, ...others] = await flushed(em);
        expect(others).toEqual([]);
        expect([...(change as ReturnType<typeof linking>).collections.tags.removed].sort()).toEqual(
          [one.id, two.id].sort(),
        );
      });

      it("shows the same from the inverse side, loaded or not, with the owner's own class", async () => {
        const [{ book, one, two }, em] = await aTaggedBook('one');
        const loaded = await em.findOneOrFail(Tag, { tenantId, id: two.id }, { populate: ['products'] });
        loaded.products.add(await em.findOneOrFail(Product, { tenantId, id: book.id }));
        expect(await flushed(em)).toEqual([linking(book, [two])]);

        const later = database.fork();
        (await later.findOneOrFail(Tag, { tenantId, id: one.id })).products.removeAll();
        expect(await flushed(later)).toEqual([linking(book, [], [one])]);
      });

      it('is part of the change of an owner that changes otherwise, too', async () => {
        const [{ book, one }, em] = await aTaggedBook();
        const loaded = await em.findOneOrFail(Book, { tenantId, id: book.id });
        loaded.name = 'Dune II';
        loaded.tags.add(reference(em, one));
        expect(await flushed(em)).toMatchObject([
          { entity: 'Book', new: { name: 'Dune II' }, collections: { tags: { added: [one.id] } } },
        ]);
      });

      it('shows the links that go with a deleted owner, and with a deleted item', async () => {
        const [{ book, one, two }, em] = await aTaggedBook('one', 'two');
        em.remove(reference(em, two));
        expect(await flushed(em)).toEqual([
          expect.objectContaining({ kind: 'delete', entity: 'Tag' }),
          linking(book, [], [two]),
        ]);
        const later = database.fork();
        later.remove(await later.findOneOrFail(Book, { tenantId, id: book.id }));
        expect(await flushed(later)).toMatchObject([
          { kind: 'delete', entity: 'Book', collections: { tags: { added: [], removed: [one.id] } } },
        ]);
      });
    });

    it('shows the concrete class of a payment loaded by its base class', async () => {
      const [{ id }, em] = await given((em) => em.create(CardPayment, { tenantId, amount: new Money(100, 'EUR') }));
      const payment = (await em.findOneOrFail(Payment, { tenantId, id })) as CardPayment;
      payment.cardToken = 'tok';
      expect(await flushed(em)).toMatchObject([
        { entity: 'CardPayment', old: { cardToken: null }, new: { cardToken: 'tok' } },
      ]);
    });
  });
});
