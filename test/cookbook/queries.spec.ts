import { describe, expect, it } from '@jest/globals';
import { raw } from '@mikro-orm/core';
import { currentContext } from '#libs/context';
import {
  bulkUpsert,
  containsText,
  keysetAfter,
  keysetOrder,
  keysetPosition,
  newId,
  type SortKey,
} from '#libs/persistence';
import { Book, eachEngine, Order, OrderLine, Product, Tag } from '#libs/testing';
import { aCookbookShop } from './a-cookbook-shop.js';
import { stock } from './arrange.js';

/** What Kysely needs to know of the tables used here. */
interface Tables {
  product: { tenant_id: string; id: string; sku: string; name: string; price_amount: number };
  order_line: { tenant_id: string; product_id: string; quantity: number };
}

const tenantId = () => currentContext().getTenant().id;

describe('queries', () => {
  eachEngine((engine) => {
    const { forTenant } = aCookbookShop(engine);
    const names = (found: readonly { readonly name: string }[]) => found.map(({ name }) => name);

    it('combines conditions', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region conditions
        const found = await em.find(
          Product,
          {
            $or: [{ name: { $like: 'D%' } }, { sku: { $in: ['b-1', 'e-0'] } }],
            $not: { stock: { $gt: 0 } },
            category: { $ne: null },
          },
          { orderBy: { name: 'asc' } },
        );
        // #endregion
        expect(names(found)).toEqual(['Dune', 'Emma']);
      }));

    it('finds a part of a text as it stands, percent signs included', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region contains
        const found = await em.find(Product, { [containsText('name', 'MM')]: [] }); // in whatever case
        // #endregion
        expect(names(found)).toEqual(['Emma']);
        const byIlike = em.find(Product, { name: { $ilike: '%MM%' } });
        if (engine.name === 'postgresql') expect(names(await byIlike)).toEqual(['Emma']);
        else await expect(byIlike).rejects.toMatchObject({ code: 'statement_refused' });
        expect(await em.find(Product, { [containsText('name', '%')]: [] })).toEqual([]);
      }));

    it('asks for exactly one, for the first or for none', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region one-or-none
        const emma = await em.findOneOrFail(Product, { sku: 'b-1' }); // throws when there is none
        const nobody = await em.findOne(Product, { sku: 'b-77' }); // null
        const [dearest] = await em.find(Product, {}, { orderBy: { price: { amount: 'desc' } }, limit: 1 });
        await expect(em.findOneOrFail(Product, { type: 'book' }, { strict: true })).rejects.toThrow(); // there are more
        // #endregion
        expect([emma.name, nobody, dearest?.name]).toEqual(['Emma', null, 'Radio']);
      }));

    it('pages by keyset, without counting', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region keyset-page
        const keys: SortKey[] = [
          { path: 'price.amount', direction: 'desc' },
          { path: 'id', direction: 'asc' }, // unique, so that no row is skipped or seen twice
        ];
        const first = await em.find(Product, {}, { orderBy: keysetOrder<Product>(keys), limit: 2 });
        const position = keysetPosition(keys, first[1] as Product);
        const second = await em.find(Product, keysetAfter<Product>(keys, position), {
          orderBy: keysetOrder<Product>(keys),
          limit: 2,
        });
        // #endregion
        expect(names([...first, ...second])).toEqual(['Radio', '手机 📱', 'Ulysses', 'Emma']);
      }));

    it('groups and computes in the database', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region aggregates
        const rows = await em
          .createQueryBuilder(Product, 'p')
          .select(['p.type', raw('count(*) as products'), raw('sum(p.price_amount) as total')])
          .where({ tenantId: tenantId() })
          .groupBy('p.type')
          .having('count(*) > ?', [1])
          .execute<{ type: string; products: number | string; total: number | string }[]>('all', false);
        // #endregion
        expect(rows.map((it) => [it.type, Number(it.products), Number(it.total)])).toEqual([['book', 4, 10_000]]);
      }));

    it('counts, averages, tells apart and calls functions of the database', () =>
      forTenant(async (em) => {
        await stock(em);
        const of = (select: string) =>
          em
            .createQueryBuilder(Product, 'p')
            .select(raw(select))
            .where({ tenantId: tenantId() })
            .execute<Record<string, unknown>[]>('all', false);
        const [row] = await of(
          'count(distinct p.type) as kinds, avg(p.price_amount) as average, max(upper(p.name)) as last',
        );
        expect([Number(row?.kinds), Number(row?.average) > 0, row?.last]).toEqual([2, true, expect.any(String)]);
        expect(await em.count(Product, { category: null, name: { $ne: null } })).toBeGreaterThan(0);
        const second = await em.find(Product, {}, { orderBy: { sku: 'asc' }, limit: 1, offset: 1 });
        expect(names(second)).toEqual(['Emma']);
      }));

    it('keeps rows that have no partner in a join', () =>
      forTenant(async (em) => {
        await stock(em);
        const rows = await em
          .getKysely<Tables>()
          .selectFrom('product as p')
          .leftJoin('order_line as l', (join) =>
            join.onRef('l.tenant_id', '=', 'p.tenant_id').onRef('l.product_id', '=', 'p.id'),
          )
          .where('p.tenant_id', '=', tenantId())
          .select(['p.name', 'l.quantity'])
          .orderBy('p.sku')
          .execute();
        expect(rows.find(({ name }) => name === 'Ulysses')).toEqual({ name: 'Ulysses', quantity: null });
        expect(rows.find(({ name }) => name === 'Emma')?.quantity).toBeGreaterThan(1);
      }));

    it('asks for what has, or has not, something that matches', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region some-and-none
        const loud = await em.find(Product, { tags: { $some: { name: 'loud' } } }, { orderBy: { sku: 'asc' } });
        const untagged = await em.count(Product, { tags: { $none: {} } });
        // #endregion
        expect([names(loud), untagged]).toEqual([['Dune', 'Radio'], 3]);
      }));

    it('joins one table twice under two names', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region aliases
        const pairs = await em
          .getKysely<Tables>()
          .selectFrom('product as cheaper')
          .innerJoin('product as dearer', (join) =>
            join
              .onRef('dearer.tenant_id', '=', 'cheaper.tenant_id')
              .onRef('dearer.price_amount', '>', 'cheaper.price_amount'),
          )
          .where('cheaper.tenant_id', '=', tenantId())
          .where('cheaper.sku', '=', 'b-2')
          .select(['cheaper.name as one', 'dearer.name as other'])
          .orderBy('dearer.sku')
          .execute();
        // #endregion
        expect(pairs).toEqual([
          { one: 'Ulysses', other: '手机 📱' },
          { one: 'Ulysses', other: 'Radio' },
        ]);
      }));

    it('compares with the result of another query', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region sub-query
        const ordered = await em
          .getKysely<Tables>()
          .selectFrom('product')
          .where('tenant_id', '=', tenantId())
          .where('id', 'in', (query) =>
            query
              .selectFrom('order_line')
              .select('product_id')
              .where('tenant_id', '=', tenantId())
              .where('quantity', '>', 1),
          )
          .select('name')
          .orderBy('name')
          .execute();
        // #endregion
        expect(ordered).toEqual([{ name: 'Emma' }, { name: 'Radio' }]);
      }));

    it('reads related rows in a chosen way, in a known number of statements', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region loading
        const orders = await em.find(Order, {}, { populate: ['lines.product'], strategy: 'select-in' });
        const partial = await em.find(Book, {}, { fields: ['name'], orderBy: { sku: 'asc' } }); // two columns
        const flat = await em
          .fork()
          .find(OrderLine, { product: { name: 'Emma' } }, { populate: ['order'], strategy: 'joined' });
        // #endregion
        expect(
          orders[0]?.lines
            .getItems()
            .map(({ product }) => product.name)
            .sort(),
        ).toEqual(['Dune', 'Emma', 'Radio']);
        expect(partial[0]?.name).toBe('Dune');
        expect(flat[0]?.order.getEntity().status).toBe('open');
      }));

    it('inserts, or leaves what is there, or brings it up to date', () =>
      forTenant(async (em) => {
        // #region upsert
        const rows = [{ name: 'new' }, { name: 'sale' }];
        await bulkUpsert(em, Tag, rows, { by: ['name'] });
        const { inserted, unchanged } = await bulkUpsert(em, Tag, [...rows, { name: 'last' }], { by: ['name'] });

        const row = { id: newId(), name: 'new' };
        await em.upsert(Tag, row, { onConflictFields: ['tenantId', 'name'], onConflictAction: 'ignore' }); // insert ignore
        // #endregion
        expect([inserted, unchanged, await em.count(Tag, {})]).toEqual([1, 2, 3]);
      }));

    it('takes values as data, whatever they say', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region values-are-data
        const nasty = `x' or '1'='1`;
        expect(await em.count(Product, { name: nasty })).toBe(0);
        expect(
          await em.execute('select name from product where tenant_id = ? and name = ?', [tenantId(), nasty]),
        ).toEqual([]);
        // #endregion
      }));
  });
});
