import { describe, expect, it } from '@jest/globals';
import { raw } from '@mikro-orm/core';
import { currentContext } from '#libs/context';
import { bulkDelete, bulkInsert, bulkUpdate, bulkUpsert } from '#libs/persistence';
import { Book, eachEngine, Product } from '#libs/testing';
import { aCookbookShop } from './a-cookbook-shop.js';
import { bookRows } from './arrange.js';

const tenantId = () => currentContext().getTenant().id;

describe('bulk', () => {
  eachEngine((engine) => {
    const { forTenant } = aCookbookShop(engine);

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

    it('reads more rows than fit into memory, a page at a time', () =>
      forTenant(async (em) => {
        await bulkInsert(em, Book, bookRows(50));
        let total = 0;
        // #region row-pages
        for (let after = ''; ; ) {
          const rows = await em
            .createQueryBuilder(Product, 'p')
            .select(['p.sku', raw('p.price_amount')])
            .where({ tenantId: tenantId(), sku: { $gt: after } })
            .orderBy({ sku: 'asc' })
            .limit(20)
            .execute<{ sku: string; price_amount: number }[]>('all', false); // rows, not entities: a tenth of the cost
          for (const row of rows) total += Number(row.price_amount);
          const last = rows.at(-1);
          if (!last) break;
          after = last.sku;
        }
        // #endregion
        expect(total).toBe(50 * 100 + (49 * 50) / 2);
      }));
  });
});
