import { describe, expect, it } from '@jest/globals';
import { ref, wrap } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { type ContextTenant, NoTenantInContextError, runAs, runInContext } from '#libs/context';
import { engines, Money } from '#libs/persistence';
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
} from '#libs/testing';
import { EntityManagerOfAnotherTenantError } from './errors/entity-manager-of-another-tenant.error.js';
import { ForeignTenantError } from './errors/foreign-tenant.error.js';
import { OperationRefusedError } from './errors/operation-refused.error.js';
import { GuardedEntityManager } from './guarded.entity-manager.js';
import { guardedDriver } from './guarded-driver.js';

const price = () => new Money(4999, 'EUR');
const actor = { id: 'spec', type: 'system' } as const;
const as = <T>(tenant: ContextTenant, fn: () => T | Promise<T>) => runAs({ tenant, actor }, fn);

function aBook(em: SqlEntityManager, rest: object = {}) {
  return em.create(Book, { sku: `b-${Math.random()}`, name: 'Dune', price: price(), isbn: '978', ...rest } as never);
}

describe('GuardedEntityManager', () => {
  eachEngine((engine) => {
    const database = aDatabase(engine, shopModel, {
      entityManager: GuardedEntityManager,
      driver: guardedDriver(engines[engine.name]),
    });

    /** A book in a category with a tag, on an order, of a tenant of its own. */
    async function aShop(slug = 'acme') {
      const tenant = aTenant(slug);
      const ids = await as(tenant, async () => {
        const em = database.fork();
        const category = em.create(Category, { name: 'Books' });
        const book = aBook(em, { category });
        const tag = em.create(Tag, { name: 'scifi' });
        book.tags.add(tag);
        const order = em.create(Order, {});
        const line = em.create(OrderLine, { order, product: book, quantity: 1 });
        const payment = em.create(CardPayment, { amount: price(), lastFour: '4242' });
        await em.flush();
        return {
          category: category.id,
          book: book.id,
          tag: tag.id,
          order: order.id,
          line: line.id,
          payment: payment.id,
        };
      });
      return { tenant, ...ids };
    }

    describe('completes what leaves the tenant out', () => {
      it('finds a row by its own id alone, and then without a statement', async () => {
        const shop = await aShop();
        await as(shop.tenant, async () => {
          const em = database.fork();
          const book = await em.findOneOrFail(Product, { id: shop.book });
          await expectStatements(database, 0, async () => {
            expect(await em.findOne(Product, shop.book as never)).toBe(book);
            expect(await em.findOne(Book, { id: shop.book })).toBe(book);
            expect(em.getReference(Product, shop.book as never)).toBe(book);
          });
          expect(await em.find(Product, [shop.book, shop.book] as never)).toEqual([book]);
          expect(await em.count(Product, shop.book as never)).toBe(1);
        });
      });

      it('reads a row by its key with one text for all of them, and refuses as ever', async () => {
        const [shop, other] = [await aShop(), await aShop('globex')];
        const em = await as(shop.tenant, () => database.fork());
        const texts = await database.statementsOf(() =>
          as(shop.tenant, async () => {
            expect(await database.fork().findOne(Product, { id: shop.book })).toBeInstanceOf(Book);
            // Another tenant's id, and the other tenant named beside it: like an id that never existed.
            expect(await database.fork().findOne(Product, { id: other.book })).toBeNull();
            expect(await em.findOne(Product, { tenantId: other.tenant.id, id: other.book })).toBeNull();
          }),
        );
        expect(texts[0]).toBe(texts[1]);
        expect(texts[0]).not.toContain(shop.tenant.id);
        await expectStatements(database, 0, async () => {
          await expect(runInContext({}, () => database.fork().findOne(Product, { id: shop.book }))).rejects.toThrow(
            NoTenantInContextError,
          );
          await expect(as(other.tenant, () => em.findOne(Product, { id: other.book }))).rejects.toThrow(
            EntityManagerOfAnotherTenantError,
          );
        });
      });

      it('takes relations by their own id in data', async () => {
        const shop = await aShop();
        await as(shop.tenant, async () => {
          const em = database.fork();
          const line = em.create(OrderLine, { order: shop.order, product: shop.book, quantity: 2 } as never);
          const book = aBook(em, { category: shop.category, tags: [shop.tag] });
          await em.flush();
          em.assign(book, { category: null, name: 'Dune II' } as never);
          await em.flush();
          wrap(book).assign({ category: shop.category } as never);
          await em.flush();
          const again = database.fork();
          const found = await again.findOneOrFail(Product, { id: book.id }, { populate: ['category', 'tags'] });
          expect(found.category?.unwrap().name).toBe('Books');
          expect(found.tags.getItems().map((tag) => tag.name)).toEqual(['scifi']);
          const lines = await again.find(OrderLine, { order: shop.order } as never, { orderBy: { quantity: 1 } });
          expect(lines.map(({ id }) => id)).toEqual([shop.line, line.id]);
        });
      });

      it('takes relations by their own id in conditions', async () => {
        const shop = await aShop();
        await as(shop.tenant, async () => {
          const em = database.fork();
          const lines = (where: object) => em.count(OrderLine, where as never);
          expect(await lines({ order: shop.order })).toBe(1);
          expect(await lines({ order: [shop.order, shop.line] })).toBe(1);
          expect(await lines({ order: { id: shop.order } })).toBe(1);
          expect(await lines({ order: { $in: [shop.order] } })).toBe(1);
          expect(await lines({ order: { $ne: shop.order } })).toBe(0);
          expect(await lines({ $or: [{ order: shop.order }, { quantity: 7 }] })).toBe(1);
          expect(await lines({ order: { lines: { product: shop.book } } })).toBe(1);
          expect(await em.count(Product, { tags: shop.tag } as never)).toBe(1);
          expect(await em.count(Product, { tags: { $some: { name: 'scifi' } } })).toBe(1);
          expect(await em.count(Product, { tags: { $none: { name: 'scifi' } } })).toBe(0);
          const roots = { parent: null };
          expect(await em.count(Category, roots)).toBe(1);
          expect(await em.count(Category, { parent: { $ne: null } })).toBe(0);
          expect(await em.count(Category, { $not: { parent: shop.category } } as never)).toBe(0);
          expect(roots).toEqual({ parent: null });
        });
      });

      it('gives the tenant to entities made with new, also those reached through relations only', async () => {
        const tenant = aTenant();
        await as(tenant, async () => {
          const em = database.fork();
          const order = new Order();
          const line = new OrderLine();
          line.product = Object.assign(new Book(), { sku: 'n-1', name: 'New', price: price(), isbn: '1' });
          line.quantity = 1;
          order.lines.add(line);
          em.persist(order);
          await em.flush();
          const found = await database.fork().find(OrderLine, {}, { populate: ['order', 'product.tags'] });
          expect(found).toMatchObject([{ tenantId: tenant.id, product: { tenantId: tenant.id, isbn: '1' } }]);
          // …and to those attached to rows that were loaded before.
          const later = database.fork();
          const loaded = await later.findOneOrFail(Order, { id: order.id });
          const second = Object.assign(new OrderLine(), { quantity: 2, order: ref(loaded) });
          second.product = Object.assign(new Electronic(), {
            sku: 'n-2',
            name: 'N',
            price: price(),
            warrantyMonths: 1,
          });
          later.persist(second);
          await later.flush();
          expect(await database.fork().count(OrderLine, { order: order.id } as never)).toBe(2);
          expect(await database.fork().count(Electronic, {})).toBe(1);
        });
      });

      it('fills the tenant of native and upsert data', async () => {
        const tenant = aTenant();
        await as(tenant, async () => {
          const em = database.fork();
          const [a, b, c] = [aTenant().id, aTenant().id, aTenant().id];
          await em.insert(Tag, { id: a, name: 'a' });
          await em.insertMany(Tag, [{ id: b, name: 'b' }]);
          await em.upsert(Tag, { id: c, name: 'c' });
          await em.upsertMany(Tag, [{ id: c, name: 'c2' }]);
          await em.insert(Category, { id: a, name: 'root' });
          await em.insert(Category, { id: b, name: 'leaf', parent: a } as never);
          expect(await em.nativeUpdate(Tag, { id: a }, { name: 'a2' })).toBe(1);
          expect(await em.nativeUpdate(Tag, { name: 'b' }, { tenantId: tenant.id, name: 'b2' } as never)).toBe(1);
          expect((await database.fork().find(Tag, {}, { orderBy: { name: 1 } })).map((tag) => tag.name)).toEqual([
            'a2',
            'b2',
            'c2',
          ]);
          expect(await database.fork().findOneOrFail(Category, { parent: a } as never)).toMatchObject({ id: b });
          expect(await em.nativeDelete(Tag, [a, b] as never)).toBe(2);
        });
      });

      it('updates the root table of a class-table hierarchy in place', async () => {
        const shop = await aShop();
        await as(shop.tenant, async () => {
          const em = database.fork();
          expect(await em.nativeUpdate(Product, { id: shop.book, stock: 0 }, { stock: 5 })).toBe(1);
          expect(await em.findOneOrFail(Book, { id: shop.book })).toMatchObject({ stock: 5, isbn: '978' });
        });
      });
    });

    describe('finds nothing of another tenant', () => {
      it.each([
        ['no filters', { filters: false }],
        ['its filter off', { filters: { tenant: false } }],
        ['defaults', {}],
      ])('with %s', async (_, options) => {
        const [a, b] = [await aShop('acme'), await aShop('globex')];
        await as(a.tenant, async () => {
          const em = database.fork();
          const ids = (rows: { id: string }[]) => rows.map(({ id }) => id);
          expect(ids(await em.find(Product, {}, options as never))).toEqual([a.book]);
          expect(ids(await em.find(Payment, {}, options as never))).toEqual([a.payment]);
          expect(await em.findOne(Product, { id: b.book }, options as never)).toBeNull();
          expect(await em.findOne(Product, { tenantId: b.tenant.id, id: b.book }, options as never)).toBeNull();
          expect(
            await em.findOne(Product, { $or: [{ id: b.book }, { name: 'Dune' }] }, options as never),
          ).toMatchObject({ id: a.book });
          expect(await em.count(Tag, {}, options as never)).toBe(1);
          expect(await em.countBy(Book, 'name', options as never)).toEqual({ Dune: 1 });
          const streamed = [];
          for await (const book of em.stream(Book, options as never)) streamed.push(book);
          expect(ids(streamed)).toEqual([a.book]);
          expect((await em.findByCursor(Tag, { first: 9, orderBy: { id: 1 }, ...options } as never)).totalCount).toBe(
            1,
          );
          expect(await em.nativeUpdate(Tag, {}, { name: 'mine' }, options as never)).toBe(1);
          expect(await em.nativeDelete(Payment, { id: b.payment }, options as never)).toBe(0);
        });
        await as(b.tenant, async () =>
          expect(await database.fork().findOneOrFail(Tag, { id: b.tag })).toMatchObject({ name: 'scifi' }),
        );
      });

      it('answers for an id of another tenant exactly as for one that never existed', async () => {
        const [a, b] = [await aShop(), await aShop()];
        const answer = (id: string) =>
          as(a.tenant, () => database.fork().findOneOrFail(Book, { id })).then(
            () => 'found',
            (error: Error) => `${error.name} ${error.message.replace(id, 'ID')}`,
          );
        expect(await answer(b.book)).toBe(await answer(aTenant().id));
      });

      it('keeps named results of the cache apart', async () => {
        const [a, b] = [await aShop(), await aShop()];
        const names = (tenant: ContextTenant) =>
          as(tenant, () => database.fork().find(Category, {}, { cache: ['categories', 5_000] })).then((all) =>
            all.map(({ id }) => id),
          );
        expect(await names(b.tenant)).toEqual([b.category]);
        expect(await names(a.tenant)).toEqual([a.category]);
        await as(a.tenant, async () => {
          await expectStatements(database, 0, () =>
            database.fork().find(Category, {}, { cache: ['categories', 5_000] }),
          );
          await database.fork().clearCache('categories');
          await expectStatements(database, 1, () =>
            database.fork().find(Category, {}, { cache: ['categories', 5_000] }),
          );
        });
      });
    });

    describe('refuses what names another tenant', () => {
      const cases: [string, (em: SqlEntityManager, b: Awaited<ReturnType<typeof aShop>>) => unknown][] = [
        ['create with its id', (em, b) => em.create(Tag, { tenantId: b.tenant.id, name: 'x' })],
        ['create with its column', (em, b) => em.create(Tag, { tenant_id: b.tenant.id, name: 'x' } as never)],
        ['create with its relation', (em, b) => em.create(Category, { name: 'x', parent: [b.tenant.id, b.category] })],
        [
          'nested create',
          (em, b) => em.create(Order, { lines: [{ tenantId: b.tenant.id, quantity: 1, product: b.book }] } as never),
        ],
        ['a full reference', (em, b) => em.getReference(Tag, [b.tenant.id, b.tag])],
        ['merge', (em, b) => em.merge(Tag, { tenantId: b.tenant.id, id: b.tag, name: 'x' })],
        ['map', (em, b) => em.map(Tag, { tenant_id: b.tenant.id, id: b.tag, name: 'x' } as never)],
        ['insert', (em, b) => em.insert(Tag, { tenantId: b.tenant.id, id: b.tag, name: 'x' })],
        ['insertMany', (em, b) => em.insertMany(Tag, [{ tenantId: b.tenant.id, id: b.tag, name: 'x' }])],
        ['upsert', (em, b) => em.upsert(Tag, { tenantId: b.tenant.id, id: b.tag, name: 'x' })],
        ['upsertMany', (em, b) => em.upsertMany(Tag, [{ tenantId: b.tenant.id, id: b.tag, name: 'x' }])],
        ['nativeUpdate', (em, b) => em.nativeUpdate(Tag, {}, { tenantId: b.tenant.id } as never)],
        ['an entity of its own', (em, b) => em.persist(Object.assign(new Tag(), { tenantId: b.tenant.id, name: 'x' }))],
      ];
      it.each(cases)('%s', async (_, attempt) => {
        const [a, b] = [await aShop(), await aShop()];
        await as(a.tenant, async () => {
          const em = database.fork();
          await expect((async () => attempt(em, b))()).rejects.toThrow(ForeignTenantError);
        });
      });

      it('a tenant id changed later, whatever way', async () => {
        const [a, b] = [await aShop(), await aShop()];
        await as(a.tenant, async () => {
          const em = database.fork();
          const tag = await em.findOneOrFail(Tag, { id: a.tag });
          expect(() => em.assign(tag, { tenantId: b.tenant.id } as never)).toThrow(ForeignTenantError);
          wrap(tag).assign({ tenantId: b.tenant.id } as never);
          await expect(em.flush()).rejects.toThrow(ForeignTenantError);
        });
      });

      it('entities that another EntityManager, or the factory, brings in', async () => {
        const [a, b] = [await aShop(), await aShop()];
        const foreign = await as(b.tenant, () => database.fork().findOneOrFail(Tag, { id: b.tag }));
        await as(a.tenant, async () => {
          const em = database.fork();
          expect(() => em.remove(foreign)).toThrow(ForeignTenantError);
          expect(() => em.merge(foreign)).toThrow(ForeignTenantError);
          expect(await em.refresh(foreign)).toBeNull();
          em.getUnitOfWork().remove(em.getEntityFactory().createReference(Tag, [b.tenant.id, b.tag], { merge: true }));
          await expect(em.flush()).rejects.toThrow(ForeignTenantError);
          const other = database.fork();
          const book = await other.findOneOrFail(Book, { id: a.book }, { populate: ['tags'] });
          book.tags.add(foreign);
          await expect(other.flush()).rejects.toThrow(ForeignTenantError);
          const third = database.fork();
          const line = await third.findOneOrFail(OrderLine, { id: a.line });
          line.product = third.getEntityFactory().createReference(Book, [b.tenant.id, b.book], { merge: true });
          await expect(third.flush()).rejects.toThrow(ForeignTenantError);
        });
        await as(b.tenant, async () => expect(await database.fork().count(Tag, { id: b.tag })).toBe(1));
      });
    });

    describe('refuses what cannot be kept inside a tenant', () => {
      it.each([
        ['findOne of any row', (em: SqlEntityManager) => em.findOne(Tag, {})],
        ['clone', (em: SqlEntityManager) => em.clone(Tag, {})],
        ['a native update of a leaf table', (em: SqlEntityManager) => em.nativeUpdate(Book, {}, { isbn: '0' })],
        ['a native delete from several tables', (em: SqlEntityManager) => em.nativeDelete(Product, {})],
        ['a native insert into several tables', (em: SqlEntityManager) => em.insert(Book, { isbn: '0' } as never)],
        ['an upsert into several tables', (em: SqlEntityManager) => em.upsert(Book, { isbn: '0' } as never)],
        ['parameters of the tenant filter', async (em: SqlEntityManager) => em.setFilterParams('tenant', {})],
        ['a session of its own', async (em: SqlEntityManager) => em.fork({ session: { variables: {} } })],
      ])('%s', async (_, attempt) => {
        await as(aTenant(), () => expect(attempt(database.fork())).rejects.toThrow(OperationRefusedError));
      });
    });

    describe('needs a tenant', () => {
      it('and says so before any statement', async () => {
        const shop = await aShop();
        const em = database.fork();
        const attempts: (() => unknown)[] = [
          () => em.find(Tag, {}),
          () => em.findOne(Tag, { id: shop.tag }),
          () => em.count(Tag),
          () => em.create(Tag, { name: 'x' }),
          () => em.getReference(Tag, [shop.tenant.id, shop.tag]),
          () => em.nativeDelete(Tag, {}),
          () => em.insert(Tag, { name: 'x' }),
          () => em.transactional(() => 1),
          () => em.begin(),
          () => em.qb(Tag),
          () => em.getKysely(),
          () => em.execute('select 1'),
        ];
        await expectStatements(database, 0, () =>
          runInContext({}, async () => {
            for (const attempt of attempts) {
              await expect((async () => attempt())()).rejects.toThrow(NoTenantInContextError);
            }
            await em.flush();
          }),
        );
      });

      it('at the flush, when the context of the changes is gone', async () => {
        const { tenant, tag } = await aShop();
        const em = database.fork();
        await as(tenant, async () => {
          (await em.findOneOrFail(Tag, { id: tag })).name = 'changed';
        });
        await runInContext({}, () => expect(em.flush()).rejects.toThrow(NoTenantInContextError));
      });
    });

    it('works for the tenant that used it first, and forks with it', async () => {
      const [a, b] = [await aShop(), await aShop()];
      const em = database.fork();
      await as(a.tenant, async () => {
        (await em.findOneOrFail(Tag, { id: a.tag })).name = 'changed';
      });
      await as(b.tenant, async () => {
        await expect(em.find(Tag, {})).rejects.toThrow(EntityManagerOfAnotherTenantError);
        await expect(em.fork().find(Tag, {})).rejects.toThrow(EntityManagerOfAnotherTenantError);
        await expect(em.flush()).rejects.toThrow(EntityManagerOfAnotherTenantError);
        expect(() => em.createQueryBuilder(Tag)).toThrow(EntityManagerOfAnotherTenantError);
      });
      await as(a.tenant, () => em.flush());
    });

    it('does its usual work: transactions, locks, populate in every strategy, refresh, orphans', async () => {
      const shop = await aShop();
      await as(shop.tenant, async () => {
        for (const strategy of ['joined', 'select-in', 'balanced'] as const) {
          const em = database.fork();
          const [order] = await em.find(
            Order,
            {},
            { populate: ['lines.product.category', 'lines.product.tags'], strategy },
          );
          expect(order?.lines[0]?.product.category?.unwrap().name).toBe('Books');
          expect(order?.lines[0]?.product.tags[0]?.name).toBe('scifi');
        }
        const em = database.fork();
        await em.transactional(async (tx) => {
          const tag = await tx.findOneOrFail(Tag, { id: shop.tag }, { lockMode: 4 });
          tag.name = 'renamed';
          await tx.transactional(async (nested) => {
            nested.create(Tag, { name: 'nested' });
          });
        });
        const tag = await em.findOneOrFail(Tag, { id: shop.tag });
        tag.name = 'unsaved';
        expect(await em.refresh(tag)).toMatchObject({ name: 'renamed' });
        expect(await em.count(Tag)).toBe(2);
        const order = await em.findOneOrFail(Order, { id: shop.order }, { populate: ['lines'] });
        order.lines.removeAll();
        const book = await em.findOneOrFail(Book, { id: shop.book });
        expect(await book.tags.loadCount()).toBe(1);
        expect(await book.tags.matching({ where: { name: 'renamed' } })).toHaveLength(1);
        await book.tags.init();
        book.tags.removeAll();
        await em.flush();
        em.remove(book);
        await em.flush();
        expect(await database.fork().count(Product)).toBe(0);
        expect(await database.fork().count(OrderLine)).toBe(0);
      });
    });
  });
});
