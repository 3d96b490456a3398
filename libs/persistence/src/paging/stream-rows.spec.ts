import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { FilterQuery } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { runAs } from '#libs/context';
import { aDatabase, aTenant, Book, Category, eachEngine, Product, shopModel } from '#libs/testing';
import { bulkModel, Specimen } from '../bulk/bulk.fixture.js';
import { bulkInsert, Money, newId, poolFiguresOf, streamRows } from '../index.js';

async function collect<Row>(rows: AsyncIterable<Row>): Promise<Row[]> {
  const collected: Row[] = [];
  for await (const row of rows) collected.push(row);
  return collected;
}

describe('streamRows', () => {
  eachEngine((engine) => {
    const database = aDatabase(engine, [...shopModel, ...bulkModel.slice(0, 2)]);
    const [ours, theirs] = [aTenant(), aTenant()];
    const as = <T>(tenant: typeof ours, work: (em: SqlEntityManager) => Promise<T>) =>
      runAs({ tenant, actor: { id: 'spec', type: 'job' } }, () => work(database.fork()));
    const category = { id: newId(), name: 'Books' };
    const instant = new Date('2026-03-29T01:30:00.123Z');

    beforeAll(async () => {
      for (const tenant of [ours, theirs]) {
        await as(tenant, async (em) => {
          const shelf = tenant === ours ? category : { id: newId(), name: 'Theirs' };
          await bulkInsert(em, Category, [shelf]);
          const books = Array.from({ length: 25 }, (_, index) => ({
            sku: `b-${index}`,
            name: `手机 📱 ${index}`,
            price: new Money(index % 3, 'EUR'),
            isbn: `978-${index}`,
            category: { tenantId: tenant.id, id: shelf.id },
          }));
          await bulkInsert(em, Book, books);
          const specimens = ['full', 'empty'].map((code) => ({ code }));
          Object.assign(specimens[0] as object, {
            ...{ big: 9_007_199_254_740_993n, size: 5, weight: '12.50', ratio: 0.1, isAlive: false, seenAt: instant },
            ...{ foundOn: '2026-03-29', data: { z: 1, a: [true, null] }, picture: Buffer.from([0, 255]) },
            ...{
              labels: ['a', 'b,c'],
              mood: 'calm',
              secret: 'cba',
              value: new Money(7, 'USD'),
              home: { city: 'Köln' },
            },
          });
          await bulkInsert(em, Specimen, specimens);
        });
      }
    });

    it.each([1, 7, 25, 100])('gives every row of the tenant once, %s at a time', (chunkSize) =>
      as(ours, async (em) => {
        const skus: string[] = [];
        for await (const { sku } of streamRows(em, Book, { fields: ['sku'], chunkSize })) skus.push(sku);
        const found = await em.find(Book, { tenantId: ours.id }, { orderBy: { id: 'asc' } });
        expect(skus).toEqual(found.map(({ sku }) => sku));
        expect(skus).toHaveLength(25);
      }),
    );

    it('gives columns of both tables of a class, relations as keys, embedded values as plain objects', () =>
      as(ours, async (em) => {
        const fields = ['sku', 'isbn', 'name', 'price', 'category', 'createdAt', 'attributes', 'version'] as const;
        const rows = await collect(streamRows(em, Book, { where: { sku: 'b-4' }, fields }));
        const [row] = rows;
        expect(row).toEqual({
          ...{ sku: 'b-4', isbn: '978-4', name: '手机 📱 4', price: { amount: 1, currency: 'EUR' }, attributes: null },
          ...{ category: category.id, createdAt: expect.any(Date), version: 1 },
        });
        expect(Object.keys(row as object)).toEqual(fields);
      }));

    it('gives every kind of value as an entity has it', () =>
      as(ours, async (em) => {
        const [full, empty] = await collect(
          streamRows(em, Specimen, { orderBy: [{ path: 'code', direction: 'desc' }] }),
        );
        const [entity, bare] = await em.find(Specimen, { tenantId: ours.id }, { orderBy: { code: 'desc' } });
        for (const [row, found] of [[full, entity] as const, [empty, bare] as const]) {
          for (const name of Object.keys(row as object)) {
            const value = Reflect.get(found as object, name);
            const plain = value instanceof Money || name === 'home' ? value && { ...(value as object) } : value;
            expect([name, Reflect.get(row as object, name)]).toEqual([name, plain ?? null]);
          }
        }
        expect(full).toMatchObject({ big: 9_007_199_254_740_993n, seenAt: instant, data: { z: 1, a: [true, null] } });
      }));

    it('sorts by what rows share, and by a path, without losing or repeating one', () =>
      as(ours, async (em) => {
        const orderBy = [{ path: 'price.amount', direction: 'desc' }] as const;
        const rows = await collect(streamRows(em, Product, { fields: ['id', 'price'], orderBy, chunkSize: 4 }));
        const found = await em.find(
          Product,
          { tenantId: ours.id },
          { orderBy: [{ price: { amount: 'desc' } }, { id: 'asc' }] as never },
        );
        expect(rows.map(({ id }) => id)).toEqual(found.map(({ id }) => id));
      }));

    it('flushes what waits, and stops where the caller stops', () =>
      as(ours, async (em) => {
        const shelf = em.create(Category, { name: 'waiting' });
        const rows = streamRows(em, Category, { fields: ['name'], where: { name: 'waiting' }, chunkSize: 1 });
        expect((await rows.next()).value).toEqual({ name: 'waiting' });
        await rows.return();
        expect(await rows.next()).toEqual({ done: true, value: undefined });
        await em.remove(shelf).flush();
      }));

    it('reads the next chunk while the caller works on this one, and no further', () =>
      as(ours, async (em) => {
        const rows = streamRows(em, Book, { fields: ['sku'], chunkSize: 5 });
        const statements = await database.statementsOf(async () => {
          await rows.next();
        });
        expect(statements).toHaveLength(1);
        const ahead = await database.statementsOf(async () => {
          for (let n = 0; n < 4; n++) await rows.next();
          // As long as the caller works, the chunk may be on its way.
          while (poolFiguresOf(database.orm.driver).some(({ inUse }) => inUse > 0)) await nextTurn();
        });
        expect(ahead).toHaveLength(1);
        await rows.return();
      }));

    it('asks for each page behind the first by the same text, however many there are', () =>
      as(ours, async (em) => {
        const statements = await database.statementsOf(() => collect(streamRows(em, Book, { chunkSize: 5 })));
        expect(statements).toHaveLength(6);
        expect(new Set(statements.slice(1)).size).toBe(1);
      }));

    it.each<FilterQuery<Book>>([
      { sku: { $in: ['b-1', 'b-2', 'b-3', 'b-11', 'none'] } },
      { $or: [{ sku: { $like: 'b-1%' } }, { name: '手机 📱 7' }] },
      { name: { $ne: ":0:' ? \\ $1" } },
      { price: { amount: { $gte: 1 } }, stock: { $lt: 10 } },
      { category: { tenantId: ours.id, id: category.id }, createdAt: { $lte: new Date(Date.now() + 60_000) } },
    ])('gives the rows of a condition in chunks as em.find does at once: %j', (where) =>
      as(ours, async (em) => {
        const found = await em.find(
          Book,
          { $and: [{ tenantId: ours.id }, where] },
          { orderBy: { price: { amount: 'desc' }, id: 'asc' } },
        );
        const orderBy = [{ path: 'price.amount', direction: 'desc' as const }];
        const rows = await collect(streamRows(em, Book, { where, fields: ['sku'], orderBy, chunkSize: 2 }));
        expect(rows.map(({ sku }) => sku)).toEqual(found.map(({ sku }) => sku));
        expect(rows.length).toBeGreaterThan(2);
      }),
    );

    it('leaves nothing running and no connection in use where the caller ends early', () =>
      as(ours, async (em) => {
        for await (const { sku } of streamRows(em, Book, { fields: ['sku'], chunkSize: 5 })) if (sku === 'b-1') break;
        expect(poolFiguresOf(database.orm.driver)).toMatchObject([{ inUse: 0, waiting: 0 }]);
        expect(await database.statementsOf(() => em.count(Book, { tenantId: ours.id }))).toHaveLength(1);
      }));

    it('reads nothing ahead in a transaction, whose connection is the caller’s', () =>
      as(ours, (em) =>
        em.transactional(async (inner) => {
          const rows = streamRows(inner as SqlEntityManager, Book, { fields: ['sku'], chunkSize: 5 });
          const statements = await database.statementsOf(async () => {
            for (let n = 0; n < 5; n++) await rows.next();
          });
          expect(statements).toHaveLength(1);
          await rows.return();
        }),
      ));

    it('throws what a chunk failed with when its turn comes, not before', () =>
      as(ours, async (em) => {
        const rows = streamRows(em, Book, { fields: ['sku'], chunkSize: 3 });
        expect((await rows.next()).value).toMatchObject({ sku: 'b-0' });
        const failing = jest.spyOn(em, 'applyFilters').mockRejectedValueOnce(new Error('no filter'));
        try {
          for (const sku of ['b-1', 'b-2']) expect((await rows.next()).value).toMatchObject({ sku });
          await expect(rows.next()).rejects.toThrow('no filter');
        } finally {
          failing.mockRestore();
        }
      }));

    it('shows rows of the context’s tenant alone, whatever is asked for', () =>
      as(theirs, async (em) => {
        const where = { category: { tenantId: ours.id, id: category.id } } as never;
        expect(await collect(streamRows(em, Book, { where })).catch(() => [])).toEqual([]);
        const rows = await collect(streamRows(em, Book, { fields: ['tenantId'] }));
        expect(new Set(rows.map(({ tenantId }) => tenantId))).toEqual(new Set([theirs.id]));
      }));

    it('refuses to read without a tenant, a column that is none, and a chunk of nothing', async () => {
      await expect(streamRows(database.fork(), Book).next()).rejects.toMatchObject({ code: 'no_context' });
      await as(ours, async (em) => {
        await expect(streamRows(em, Book, { fields: ['tags'] }).next()).rejects.toThrow('no stored property tags');
        await expect(streamRows(em, Book, { chunkSize: 0 }).next()).rejects.toThrow('chunkSize');
      });
    });
  });
});
