import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type EntityName, type EventArgs, type EventSubscriber, helper, MikroORM, wrap } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
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
  WalletPayment,
} from '#libs/testing';
import { findByKey, Money, newId, ormOptions } from '../index.js';
import {
  ComputedOne,
  EagerOne,
  Everything,
  FilteredOne,
  finderModel,
  Numbered,
  PointedAt,
  Pointing,
  ValuesOnly,
} from './find-by-key.fixture.js';

const price = () => new Money(4999, 'EUR');

/** Hears which entities were announced as loaded. */
class LoadEar implements EventSubscriber {
  heard: object[] = [];

  onLoad({ entity }: EventArgs<object>): void {
    this.heard.push(entity);
  }
}

/** All that MikroORM knows of an entity: class, values, what it compares at the flush, what counts as loaded. */
function stateOf(entity: object) {
  const { __originalEntityData, __loadedProperties, __serializationContext, __initialized, __managed } = helper(entity);
  return {
    class: entity.constructor.name,
    values: wrap(entity).toPOJO(),
    json: JSON.stringify(entity),
    stored: __originalEntityData,
    loaded: [...__loadedProperties].toSorted(),
    fields: [...(__serializationContext.fields ?? [])].toSorted(),
    populate: __serializationContext.populate,
    flags: { __initialized, __managed },
  };
}

describe('findByKey', () => {
  eachEngine((engine) => {
    const ear = new LoadEar();
    const database = aDatabase(engine, [...shopModel, ...finderModel], { subscribers: [ear] });
    const { id: tenantId } = aTenant();
    const ids: Record<string, string> = {};
    let em: SqlEntityManager;

    beforeAll(async () => {
      const em = database.fork();
      const category = em.create(Category, { tenantId, name: 'Books' });
      const parent = em.create(Category, { tenantId, name: 'It\'s ? "quoted" \\', parent: category });
      const book = em.create(Book, { tenantId, sku: 'b-1', name: 'Dune', price: price(), isbn: '978', category });
      book.attributes = { b: 1, a: { deep: [1, null] } };
      book.tags.add(em.create(Tag, { tenantId, name: 'scifi' }));
      const radio = em.create(Electronic, { tenantId, sku: 'e-1', name: 'Radio', price: price(), warrantyMonths: 24 });
      const order = em.create(Order, { tenantId });
      const line = em.create(OrderLine, { tenantId, order, product: book, quantity: 2 });
      const card = em.create(CardPayment, { tenantId, amount: price(), lastFour: '4242' });
      const wallet = em.create(WalletPayment, { tenantId, amount: price() } as never);
      const everything = {
        tenantId,
        name: "o'Neill ? :id: $1",
        text: 'text',
        longText: 'long',
        lazyText: 'later',
        big: 9_007_199_254_740_993n,
        double: 0.1,
        decimal: '12.345',
        flag: true,
        instant: new Date('2026-03-29T01:30:00.123Z'),
        day: '2026-03-29',
        other: newId(),
        json: { z: 1, a: [true, null, 'x'], '?': "'" },
        list: ['a', 'b,c'],
        point: { x: 1, y: 2 },
        bytes: Buffer.from([0, 255, 39]),
        colour: 'green',
        price: price(),
      };
      const address = { city: 'Köln', since: new Date('2020-01-01T00:00:00Z') };
      const full = em.create(Everything, { ...everything, address } as never);
      const values = em.create(ValuesOnly, everything as never);
      const noValues = em.create(ValuesOnly, { tenantId, name: '' } as never);
      const empty = em.create(Everything, { tenantId, name: '' } as never);
      const eager = em.create(EagerOne, { tenantId, everything: full });
      const shown = em.create(FilteredOne, { tenantId, hidden: false });
      const hidden = em.create(FilteredOne, { tenantId, hidden: true });
      const computed = em.create(ComputedOne, { tenantId, half: 21 });
      const pointed = em.create(PointedAt, { tenantId });
      em.create(Pointing, { tenantId, at: pointed });
      await em.flush();
      const rows = { category, parent, book, radio, order, line, card, wallet, full, empty };
      const others = { values, noValues, eager, shown, hidden, computed, pointed };
      for (const [name, { id }] of Object.entries({ ...rows, ...others })) ids[name] = id;
    });

    beforeEach(() => {
      em = database.fork();
      ear.heard = [];
    });

    const keyOf = (row: string) => ({ tenantId, id: ids[row] ?? '' });
    const find = async <T extends object>(entity: EntityName<T>, row: string) =>
      (await findByKey(em, entity, keyOf(row))) as T;

    /** Twice: the first read compiles. */
    const everyKind: [string, EntityName<object>, string, EntityName<object>][] = [
      ['every column type', Everything, 'full', Everything],
      ['columns that hold nothing', Everything, 'empty', Everything],
      ['values alone', ValuesOnly, 'values', ValuesOnly],
      ['no values', ValuesOnly, 'noValues', ValuesOnly],
      ['a reference', Category, 'parent', Category],
      ['a reference to nothing', Category, 'category', Category],
      ['a class-table entity by its base class', Product, 'book', Book],
      ['its sibling by the base class', Product, 'radio', Electronic],
      ['a class-table entity by its own class', Book, 'book', Book],
      ['a single-table entity by its base class', Payment, 'card', CardPayment],
      ['its sibling by the base class of one table', Payment, 'wallet', WalletPayment],
      ['a single-table entity by its own class', CardPayment, 'card', CardPayment],
      ['two references', OrderLine, 'line', OrderLine],
      ['a collection', Order, 'order', Order],
    ];

    describe.each(everyKind)('of %s', (_, entity, row, leaf) => {
      it('gives exactly the entity that em.findOne gives', async () => {
        for (let time = 0; time < 2; time++) {
          em = database.fork();
          const found = await find(entity, row);
          expect(found).toBeInstanceOf(leaf);
          const stock = await database.fork().findOneOrFail(entity, keyOf(row) as never);
          expect(stateOf(found)).toEqual(stateOf(stock));
        }
      });

      it('leaves nothing to flush', async () => {
        await find(entity, row);
        em.getUnitOfWork().computeChangeSets();
        expect(em.getUnitOfWork().getChangeSets()).toEqual([]);
        await expectStatements(database, 0, () => em.flush());
      });

      it('manages it: the next read is the same object, and costs what it costs after em.findOne', async () => {
        const found = await find(entity, row);
        const again = (em: SqlEntityManager) =>
          database.statementsOf(() => em.findOne(entity, keyOf(row) as never).then((it) => other.push(it)));
        const other: unknown[] = [];
        const sent = await again(em);
        expect(other).toEqual([found]);
        expect(other[0]).toBe(found);
        const stock = database.fork();
        await stock.findOneOrFail(entity, keyOf(row) as never);
        expect(sent).toEqual(await again(stock));
      });
    });

    it.each([
      ['a plain entity', Category, 'parent'],
      ['an entity of every value', ValuesOnly, 'noValues'],
      ['a class-table entity by its base class', Product, 'radio'],
      ['a class-table entity by its own class', Book, 'book'],
      ['a single-table entity by its base class', Payment, 'card'],
    ] as [string, EntityName<object>, string][])(
      'learns from the first row of a class how to make the next: %s',
      async (_, entity, row) => {
        await find(entity, row);
        em = database.fork();
        const mapped = jest.spyOn(database.orm.driver, 'mapResult');
        const created = jest.spyOn(em.getEntityFactory(), 'create');
        try {
          expect(await find(entity, row)).toBeInstanceOf(entity);
          expect([mapped.mock.calls, created.mock.calls]).toEqual([[], []]);
        } finally {
          mapped.mockRestore();
        }
      },
    );

    it('is made so by every instance that has discovered the same classes, whichever came last', async () => {
      const options = ormOptions(database.url, { entities: [...shopModel, ...finderModel] }, { max: 1 });
      const orms = [await MikroORM.init(options), await MikroORM.init(options)];
      for (const orm of orms) {
        const key = { tenantId, id: ids.book as string };
        await findByKey(orm.em.fork() as SqlEntityManager, Product, key);
        const em = orm.em.fork() as SqlEntityManager;
        const created = jest.spyOn(em.getEntityFactory(), 'create');
        expect(stateOf((await findByKey(em, Product, key)) as object).class).toBe('Book');
        expect(created).not.toHaveBeenCalled();
      }
      for (const orm of orms) await orm.close(true);
    });

    it('sends one statement, the same text for every key', async () => {
      const statements = await database.statementsOf(async () => {
        await find(Product, 'book');
        await find(Product, 'radio');
      });
      expect(statements).toHaveLength(2);
      expect(statements[0]).toBe(statements[1]);
      expect(statements[0]).not.toContain(tenantId);
    });

    it('finds nothing under another id, another tenant, or a key that looks like SQL', async () => {
      for (const key of [
        { tenantId, id: newId() },
        { tenantId: aTenant().id, id: ids.book },
      ]) {
        expect(await findByKey(em, Product, key)).toBeNull();
      }
      // Not of the type uuid: postgresql refuses it, the others find nothing. Either way it is a value and no SQL.
      const hostile = findByKey(em, Product, { tenantId, id: "' or '1'='1" }).catch(() => null);
      expect(await hostile).toBeNull();
    });

    it('finds by an integer, and leaves other numbers to em.findOne', async () => {
      em.create(Numbered, { id: 7, name: 'seven' });
      await em.flush();
      em = database.fork();
      const statements = await database.statementsOf(async () => {
        expect(await findByKey(em, Numbered, { id: 7 })).toMatchObject({ id: 7, name: 'seven' });
        expect(await findByKey(em, Numbered, { id: 8 })).toBeNull();
      });
      expect(statements[0]).toBe(statements[1]);
      expect(await findByKey(em, Numbered, { id: 7.5 })).toBeUndefined();
      expect(await findByKey(em, Numbered, { id: Number.NaN })).toBeUndefined();
    });

    it('is called off by its signal', async () => {
      const signal = AbortSignal.abort(new Error('the caller left'));
      const called = findByKey(em, Product, keyOf('book'), { signal });
      await expect(called).rejects.toThrow('the caller left');
      expect(await find(Product, 'book')).toBeInstanceOf(Book);
    });

    it('finds no row of a sibling class', async () => {
      expect(await find(Electronic, 'book')).toBeNull();
      expect(await find(WalletPayment, 'card')).toBeNull();
    });

    it('flushes changes of root, child, JSON and embedded columns, and counts the version', async () => {
      const book = em.create(Book, { tenantId, sku: newId(), name: 'Old', price: price(), isbn: '1' });
      await em.flush();
      em = database.fork();
      const found = (await findByKey(em, Product, { tenantId, id: book.id })) as Book;
      Object.assign(found, { name: 'New', isbn: '2', attributes: { new: true }, price: new Money(1, 'USD') });
      await em.flush();
      expect(found.version).toBe(2);
      const again = await database.fork().findOneOrFail(Book, { tenantId, id: book.id });
      expect(again).toMatchObject({ name: 'New', isbn: '2', attributes: { new: true }, version: 2 });
      expect(again.price).toEqual(new Money(1, 'USD'));
    });

    it('removes what it found', async () => {
      const card = em.create(CardPayment, { tenantId, amount: price() });
      await em.flush();
      em = database.fork();
      const found = (await findByKey(em, Payment, { tenantId, id: card.id })) as Payment;
      await em.remove(found).flush();
      expect(await findByKey(database.fork(), Payment, { tenantId, id: card.id })).toBeNull();
    });

    it('gives references that load, and collections that load', async () => {
      const book = await find(Product, 'book');
      expect(book.category?.isInitialized()).toBe(false);
      expect((await book.category?.loadOrFail())?.name).toBe('Books');
      expect((await book.tags.loadItems()).map(({ name }) => name)).toEqual(['scifi']);
      const order = await find(Order, 'order');
      expect((await order.lines.loadItems()).map(({ product }) => product)).toEqual([book]);
    });

    it('leaves lazy columns to be loaded later', async () => {
      const full = await find(Everything, 'full');
      expect(full.lazyText).toBeUndefined();
      await em.populate(full, ['lazyText']);
      expect(full.lazyText).toBe('later');
    });

    it('completes an entity that is known as a reference only', async () => {
      // Left to em.findOne, which knows what a reference is.
      const reference = em.getReference(Category, [tenantId, ids.parent ?? ''] as never);
      expect(await find(Category, 'parent')).toBeUndefined();
      expect(await em.findOne(Category, keyOf('parent'))).toBe(reference);
    });

    it('leaves a managed entity and its changes alone', async () => {
      const book = await find(Product, 'book');
      book.name = 'Changed here';
      expect(await find(Product, 'book')).toBeUndefined();
      expect(await em.findOne(Product, keyOf('book'))).toBe(book);
      expect(book.name).toBe('Changed here');
    });

    it('gives one object to two reads at the same time', async () => {
      const [first, second] = await Promise.all([find(Product, 'book'), find(Product, 'book')]);
      expect(first).toBe(second);
      await expectStatements(database, 0, () => em.flush());
    });

    it('announces the entity as loaded, once', async () => {
      const book = await find(Product, 'book');
      expect(ear.heard).toEqual([book]);
    });

    it('flushes first what waits to be inserted', async () => {
      const book = em.create(Book, { tenantId, sku: newId(), name: 'Waiting', price: price(), isbn: '1' });
      em.persist(book);
      const waiting = await findByKey(em, Product, { tenantId, id: ids.radio });
      expect(waiting).toBeInstanceOf(Electronic);
      expect(await database.fork().count(Book, { tenantId, id: book.id })).toBe(1);
    });

    it('sees the uncommitted rows of its own transaction, and nothing of them after a rollback', async () => {
      const id = newId();
      await expect(
        em.transactional(async (inner) => {
          await inner.insert(Category, { tenantId, id, name: 'Uncommitted' });
          expect(await findByKey(inner, Category, { tenantId, id })).toMatchObject({ name: 'Uncommitted' });
          throw new Error('roll back');
        }),
      ).rejects.toThrow('roll back');
      expect(await findByKey(database.fork(), Category, { tenantId, id })).toBeNull();
    });

    it('leaves to em.findOne what asks for more than one row of its own', async () => {
      for (const [entity, row] of [
        [EagerOne, 'eager'],
        [FilteredOne, 'shown'],
        [FilteredOne, 'hidden'],
        [ComputedOne, 'computed'],
        [PointedAt, 'pointed'],
      ] as const) {
        expect(await findByKey(em, entity, keyOf(row))).toBeUndefined();
      }
      em.addFilter({ name: 'late', cond: { name: 'nobody' }, entity: [Category] });
      expect(await findByKey(em, Category, keyOf('category'))).toBeUndefined();
      expect(await findByKey(database.fork(), Category, keyOf('category'))).toBeInstanceOf(Category);
    });

    it.each([
      ['more than the key', () => ({ ...keyOf('book'), name: 'Dune' })],
      ['less than the key', () => ({ id: ids.book })],
      ['a list', () => ({ tenantId, id: [ids.book] })],
      ['an operator', () => ({ tenantId, id: { $ne: null } })],
      ['nothing', () => ({ tenantId, id: null })],
      ['a scalar', () => ids.book],
      ['no condition', () => undefined],
    ])('leaves to em.findOne a condition of %s', async (_, where) => {
      expect(await findByKey(em, Product, where())).toBeUndefined();
    });

    it('leaves to em.findOne an EntityManager that reads in a way of its own', async () => {
      const abort = new AbortController();
      const fork = database.orm.em.fork({ signal: abort.signal } as never);
      expect(await findByKey(fork as SqlEntityManager, Product, keyOf('book'))).toBeUndefined();
    });

    it('tells the log of MikroORM, like any read', async () => {
      const logged = jest.spyOn(database.orm.config.getLogger(), 'logQuery');
      try {
        await find(Category, 'category');
        expect(logged.mock.calls).toMatchObject([[{ query: expect.stringMatching(/select .*category/), results: 1 }]]);
      } finally {
        logged.mockRestore();
      }
    });
  });
});
