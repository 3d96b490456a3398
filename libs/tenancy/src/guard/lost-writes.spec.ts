import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { runAs } from '#libs/context';
import { engines, Money, ormOptions } from '#libs/persistence';
import { aDatabase, aTenant, Book, CardPayment, Category, eachEngine, Order, shopModel, Tag } from '#libs/testing';
import { RowNotWrittenError } from './errors/row-not-written.error.js';
import { GuardedEntityManager } from './guarded.entity-manager.js';
import { guardedDriver } from './guarded-driver.js';

describe('a flush whose row is gone', () => {
  eachEngine((engine) => {
    const witness = aDatabase(engine, shopModel);
    let orm: MikroORM<AbstractSqlDriver>;
    beforeAll(async () => {
      const driver = guardedDriver(engines[engine.name]);
      const options = { entities: [...shopModel], driver, entityManager: GuardedEntityManager };
      orm = await MikroORM.init(ormOptions(witness.url, options));
    });
    afterAll(() => orm.close(true));

    const tenant = aTenant();
    const as = <T>(work: (em: SqlEntityManager) => Promise<T>): Promise<T> =>
      runAs({ tenant, actor: { id: 'test', type: 'system' } }, () => work(orm.em.fork() as SqlEntityManager));
    /** Tags, and somebody who deletes the first of them behind the back of who has loaded them. */
    const tags = async (em: SqlEntityManager, count: number) => {
      const made = Array.from({ length: count }, (_, index) =>
        em.create(Tag, { name: `tag ${index} ${Math.random()}` }),
      );
      await em.flush();
      return made;
    };
    const vanish = (table: string, id: string) => witness.fork().execute(`delete from ${table} where id = ?`, [id]);
    const names = async (ids: string[]) =>
      (await as((em) => em.find(Tag, { id: { $in: ids } } as never))).map((tag) => tag.name);

    it('fails when it was to be changed, alone or among others, and nothing else is changed', async () => {
      for (const count of [1, 3]) {
        const [gone, ...others] = await as(async (em) => {
          const made = await tags(em, count);
          await vanish('tag', String(made[0]?.id));
          for (const tag of made) tag.name = `changed ${tag.id}`;
          await expect(em.flush()).rejects.toThrow(RowNotWrittenError);
          return made;
        });
        expect(gone).toBeDefined();
        for (const name of await names(others.map(({ id }) => id))) expect(name).not.toMatch(/changed/);
      }
    });

    it('fails when it was to be deleted, alone or among others, and nothing else is deleted', async () => {
      for (const count of [1, 3]) {
        const others = await as(async (em) => {
          const made = await tags(em, count);
          await vanish('tag', String(made[0]?.id));
          em.remove(made);
          await expect(em.flush()).rejects.toThrow(RowNotWrittenError);
          return made.slice(1);
        });
        expect(await names(others.map(({ id }) => id))).toHaveLength(others.length);
      }
    });

    it('goes through when the rows are there: changed to the same value, class-table and single-table, related', async () => {
      await as(async (em) => {
        const parent = em.create(Category, { name: 'parent' });
        const category = em.create(Category, { name: 'child', parent });
        const price = new Money(100, 'EUR');
        const book = em.create(Book, { sku: `sku-${Math.random()}`, name: 'b', price, isbn: '1', category });
        const other = em.create(Book, { sku: `sku-${Math.random()}`, name: 'b', price, isbn: '1', category });
        const payment = em.create(CardPayment, { amount: price, lastFour: '4242', cardToken: 't' });
        book.tags.add(em.create(Tag, { name: `t-${Math.random()}` }));
        await em.flush();
        await witness.fork().execute('update category set name = ? where id = ?', ['renamed', category.id]);
        category.name = 'renamed';
        book.isbn = '2';
        other.name = 'c';
        await em.flush();
        book.tags.removeAll();
        em.remove([book, other, payment, category]);
        await em.flush();
        em.remove(parent);
        await em.flush();
        expect(await em.count(Category, {})).toBe(0);
      });
    });

    it('goes through when an empty collection that was not loaded is replaced or cleared', async () => {
      const made = await as(async (em) => {
        const price = new Money(100, 'EUR');
        const book = em.create(Book, { sku: `sku-${Math.random()}`, name: 'b', price, isbn: '1' });
        const order = em.create(Order, {});
        const [tag] = await tags(em, 1);
        return { book: book.id, order: order.id, tag: String(tag?.id) };
      });
      await as(async (em) => {
        const book = await em.findOneOrFail(Book, { id: made.book } as never);
        book.tags.set([em.getReference(Tag, made.tag as never)]);
        (await em.findOneOrFail(Order, { id: made.order } as never)).lines.removeAll();
        await em.flush();
        expect(await em.fork().count(Tag, { products: { id: made.book } } as never)).toBe(1);
      });
    });

    it('is told from a native write, which may find nothing', async () => {
      const { id } = aTenant();
      expect(await as((em) => em.nativeUpdate(Tag, { id } as never, { name: 'x' }))).toBe(0);
      expect(await as((em) => em.nativeDelete(Tag, { id } as never))).toBe(0);
    });
  });
});
