import { describe, expect, it } from '@jest/globals';
import { OptimisticLockError, raw } from '@mikro-orm/core';
import type { CurrentEntityManager } from '#libs/persistence';
import { bulkUpdate, findLocked, Transactional, transactional } from '#libs/persistence';
import { Book, eachEngine, Product, Tag } from '#libs/testing';
import { aCookbookShop } from './a-cookbook-shop.js';
import { stock } from './arrange.js';

// #region transactional-method
class StockService {
  constructor(private readonly entityManager: CurrentEntityManager) {}

  /** All of it or nothing; begun anew, a bounded number of times, when another transaction is in the way. */
  @Transactional()
  async take(sku: string, quantity: number): Promise<boolean> {
    const [product] = await findLocked(this.entityManager.get(), Product, { sku }); // nobody else may change it now
    if (!product || product.stock < quantity) return false;
    product.stock -= quantity;
    return true;
  }
}
// #endregion

describe('transactions', () => {
  eachEngine((engine) => {
    const { database, entityManager, forTenant } = aCookbookShop(engine);

    it('lets only one of many take the last', () =>
      forTenant(async (em) => {
        await stock(em);
        const take = () => new StockService(entityManager).take('e-0', 5);
        expect([await take(), await take()]).toEqual([true, false]);
      }));

    it('undoes a part by a savepoint, and keeps the rest', () =>
      forTenant(async (em) => {
        // #region savepoint
        await transactional(em, async (outer) => {
          outer.create(Tag, { name: 'kept' });
          await outer.flush();
          const part = transactional(outer, async (inner) => {
            inner.create(Tag, { name: 'undone' });
            await inner.flush();
            throw new Error('no use');
          });
          await part.catch(() => {}); // back at the savepoint; the outer transaction goes on
        });
        // #endregion
        expect((await em.find(Tag, {})).map(({ name }) => name)).toEqual(['kept']);
      }));

    it('counts in the database, without reading first', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region arithmetic
        await bulkUpdate(em, Product, { where: { stock: { $gt: 0 } }, set: { stock: raw('stock - 1') } });
        // #endregion
        expect((await em.fork().findOneOrFail(Product, { sku: 'e-0' })).stock).toBe(4);
      }));

    it('notices that somebody else was faster', () =>
      forTenant(async (em) => {
        await stock(em);
        const other = database.fork();
        // #region optimistic-version
        const mine = await em.findOneOrFail(Book, { sku: 'b-0' });
        const theirs = await other.findOneOrFail(Book, { sku: 'b-0' });
        theirs.stock = 1;
        await other.flush(); // version 1 → 2

        mine.stock = 7;
        await expect(em.flush()).rejects.toThrow(OptimisticLockError); // still version 1: nothing is written
        // #endregion
        expect((await database.fork().findOneOrFail(Book, { sku: 'b-0' })).stock).toBe(1);
      }));

    it('reads under one view, and writes nothing', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region read-only
        const report = await transactional(
          em,
          async (tx) => ({ products: await tx.count(Product, {}), books: await tx.count(Book, {}) }),
          { readOnly: true, isolation: 'repeatable read' },
        );
        // #endregion
        expect(report).toEqual({ products: 5, books: 4 });
      }));

    it('takes what nobody else holds, as a queue does', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region skip-locked
        const take = () =>
          transactional(em, (tx) =>
            findLocked(tx, Product, { stock: 0 }, { whenLocked: 'skip', orderBy: { sku: 'asc' }, limit: 2 }),
          );
        // #endregion
        if (engine.name === 'sqlite') await expect(take()).rejects.toMatchObject({ code: 'lock_unsupported' });
        else expect((await take()).map(({ sku }) => sku)).toEqual(['b-0', 'b-1']);
      }));
  });
});
