import { describe, expect, it } from '@jest/globals';
import { bulkDelete, bulkInsert, bulkUpdate, bulkUpsert, streamRows } from '#libs/persistence';
import { Book, eachEngine, Product } from '#libs/testing';
import { aCookbookShop } from './a-cookbook-shop.js';
import { bookRows } from './arrange.js';

describe('bulk', () => {
  eachEngine((engine) => {
    const { database, forTenant } = aCookbookShop(engine);

    it('writes, changes and deletes many rows in few statements', () =>
      forTenant(async (em) => {
        const rows = bookRows(1000);
        // #region bulk-writes
        await bulkInsert(em, Book, rows); // both tables of each book
        await bulkUpdate(em, Book, [{ sku: 'bulk-1', stock: 3 }], { by: ['sku'] });
        const { deleted } = await bulkDelete(em, Product, { where: { stock: 0, sku: { $like: 'bulk-9%' } } });
        // #endregion
        expect([deleted, await em.count(Book, {})]).toEqual([111, 889]);
      }));

    it('takes rows as they come, and says what became of each', () =>
      forTenant(async (em) => {
        const rejected: string[] = [];
        async function* lines() {
          yield* bookRows(5);
          yield { sku: 'bulk-3', name: 'Book 3, second edition' };
          yield { sku: 'x'.repeat(100), name: 'no such thing' };
        }
        // #region bulk-stream
        const result = await bulkUpsert(em, Book, lines(), {
          by: ['sku'],
          batchSize: 2, // a batch is a transaction; memory holds one
          onRejected: (index, error) => rejected.push(`line ${index + 1}: ${error.code}`),
        });
        // #endregion
        expect(result).toEqual({ inserted: 5, updated: 1, unchanged: 0, rejected: 1 });
        expect(rejected).toEqual(['line 7: bulk_row_invalid']);
      }));

    it('reads more rows than fit into memory', () =>
      forTenant(async (em) => {
        await bulkInsert(em, Book, bookRows(50));
        let total = 0;
        // #region stream-rows
        const books = streamRows(em, Book, {
          where: { stock: 0 },
          fields: ['sku', 'price'], // rows, not entities: a tenth of the cost
          chunkSize: 20, // memory holds two chunks
        });
        for await (const { price } of books) total += price.amount;
        // #endregion
        expect(total).toBe(50 * 100 + (49 * 50) / 2);
      }));

    it('streams rows of the tenant alone, and none without a tenant', async () => {
      await forTenant((em) => bulkInsert(em, Book, bookRows(3)));
      await forTenant(async (em) => {
        expect(await streamRows(em, Product).next()).toEqual({ done: true, value: undefined });
      });
      await expect(streamRows(database.fork(), Product).next()).rejects.toMatchObject({ code: 'no_context' });
    });
  });
});
