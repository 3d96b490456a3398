import { describe, expect, it } from '@jest/globals';
import { currentContext } from '#libs/context';
import { eachEngine, Product } from '#libs/testing';
import { aCookbookShop } from './a-cookbook-shop.js';
import { stock } from './arrange.js';

/** What Kysely needs to know of the tables used here. */
interface Tables {
  product: { tenant_id: string; sku: string; name: string; stock: number };
}

describe('raw SQL', () => {
  eachEngine((engine) => {
    const { forTenant } = aCookbookShop(engine);

    it('binds values by name', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region named-parameters
        const tenant = currentContext().getTenant();
        const rows = await em.execute<{ name: string }[]>(
          'select name from product where tenant_id = :tenant and stock >= :least order by sku',
          { tenant: tenant.id, least: 1 } as never,
        );
        // #endregion
        expect(rows).toEqual([{ name: 'Radio' }]);
      }));

    it('is built with types by Kysely, on the same connection', () =>
      forTenant(async (em) => {
        await stock(em);
        const tenant = currentContext().getTenant();
        // #region kysely
        const { upper } = await em
          .getKysely<Tables>()
          .selectFrom('product')
          .where('tenant_id', '=', tenant.id)
          .where('sku', '=', 'b-1')
          .select(({ fn }) => fn<string>('upper', ['name']).as('upper')) // any function of the database
          .executeTakeFirstOrThrow();
        // #endregion
        expect(upper).toBe('EMMA');
      }));

    it('is refused where it would reach another tenant, before it is sent', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region refused
        await expect(em.execute('select count(*) from product')).rejects.toMatchObject({ code: 'statement_refused' });
        // #endregion
        expect(await em.count(Product, {})).toBe(5);
      }));
  });
});
