import { describe, expect, it } from '@jest/globals';
import { raw } from '@mikro-orm/core';
import { sql } from 'kysely';
import { currentContext } from '#libs/context';
import { bulkDelete, bulkUpdate, bulkUpsert, type ChangeSubscriber, newId, watchStatements } from '#libs/persistence';
import { Book, Category, eachEngine, Order, OrderLine, Product, Tag } from '#libs/testing';
import { aCookbookShop } from './a-cookbook-shop.js';
import { stock } from './arrange.js';

/** What Kysely needs to know of the tables used here. */
interface Tables {
  product: { tenant_id: string; id: string; sku: string; name: string; stock: number };
  order_line: { tenant_id: string; product_id: string; quantity: number };
  category: { tenant_id: string; id: string; name: string };
  tag: { tenant_id: string; id: string; name: string };
}

const tenantId = () => currentContext().getTenant().id;

describe('statements', () => {
  eachEngine((engine) => {
    const { forTenant } = aCookbookShop(engine);
    const seen: string[] = [];
    const recorder: ChangeSubscriber = {
      beforeCommit(changes) {
        for (const { kind, meta, old } of changes) seen.push(`${kind} ${meta.className} ${old?.name ?? ''}`.trim());
      },
    };
    const onRecord = aCookbookShop(engine, [recorder]);
    const isMysql = engine.name === 'mysql' || engine.name === 'mariadb';
    const names = (found: readonly { readonly name: string }[]) => found.map(({ name }) => name);

    it('changes and deletes by the result of another query, on record', () =>
      onRecord.forTenant(async (em) => {
        await stock(em);
        seen.length = 0;
        // #region by-sub-query
        await bulkUpdate(em, Tag, { where: { products: { $some: { stock: { $gt: 0 } } } }, set: { name: 'in stock' } });
        const { deleted } = await bulkDelete(em, Tag, { where: { products: { $none: { type: 'electronic' } } } });
        // #endregion
        // The last is of the book that has lost a tag.
        expect(seen).toEqual(['update Tag loud', 'delete Tag calm', 'update Book']);
        expect([deleted, names(await em.fork().find(Tag, {}))]).toEqual([1, ['in stock']]);
      }));

    it('changes and deletes by SQL with a sub-query, where nobody keeps a record', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region sql-by-sub-query
        const ordered = em
          .getKysely<Tables>()
          .selectFrom('order_line')
          .select('product_id')
          .where('tenant_id', '=', tenantId());
        const { numUpdatedRows } = await em
          .getKysely<Tables>()
          .updateTable('product')
          .set({ stock: 9 })
          .where('tenant_id', '=', tenantId())
          .where('id', 'not in', ordered)
          .executeTakeFirst();
        const { numDeletedRows } = await em
          .getKysely<Tables>()
          .deleteFrom('tag')
          .where('tenant_id', '=', tenantId())
          .where('name', '>', (query) =>
            query
              .selectFrom('category')
              .select(({ fn }) => fn.max<string>('name').as('last'))
              .where('tenant_id', '=', tenantId()),
          )
          .executeTakeFirst();
        // #endregion
        expect([Number(numUpdatedRows), Number(numDeletedRows)]).toEqual([2, 2]);
      }));

    it('refuses such SQL where it would leave no record, or reach another tenant', () =>
      onRecord.forTenant(async (em) => {
        await stock(em);
        // #region by-sub-query-refused
        const unheard =
          'delete from tag where tenant_id = ? and id not in (select tag_id from product_tag where tenant_id = ?)';
        await expect(em.execute(unheard, [tenantId(), tenantId()])).rejects.toMatchObject({
          code: 'unannounced_write',
        });
        const foreign = 'delete from tag where tenant_id = ? and id not in (select tag_id from product_tag)';
        await expect(em.execute(foreign, [tenantId()])).rejects.toMatchObject({ code: 'statement_refused' });
        // #endregion
        expect(await em.count(Tag, {})).toBe(2);
      }));

    it('joins one table twice and keeps what has no partner, with a query builder', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region builder-joins
        const rows = await em
          .createQueryBuilder(Category, 'c')
          .select([raw('c.name'), raw('p.name as above'), raw('pp.name as top')])
          .leftJoin('c.parent', 'p')
          .leftJoin('p.parent', 'pp')
          .where({ tenantId: tenantId() })
          .orderBy({ name: 'asc' })
          .execute<{ name: string; above: string | null; top: string | null }[]>('all', false);
        // #endregion
        expect(rows).toEqual([
          { name: 'Home', above: null, top: null },
          { name: 'Shelf', above: 'Home', top: null },
        ]);
      }));

    it('takes hints and comments, and prefixes and index hints where there are any', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region hints
        const page = em
          .createQueryBuilder(Tag, 't')
          .select('*')
          .where({ tenantId: tenantId() })
          .comment('report 7') // for who reads the server's log
          .hintComment('MAX_EXECUTION_TIME(1000)'); // a comment to products that know no such hint
        expect(await page.getResult()).toHaveLength(2);

        const prefixed = em
          .getKysely<Tables>()
          .selectFrom('tag')
          .modifyFront(sql`sql_no_cache`)
          .select('name')
          .where('tenant_id', '=', tenantId());
        const hinted = em
          .createQueryBuilder(Tag, 't')
          .select('*')
          .indexHint('use index (primary)')
          .where({ tenantId: tenantId() });
        // #endregion
        if (isMysql) {
          expect(await prefixed.execute()).toHaveLength(2);
          expect(await hinted.getResult()).toHaveLength(2);
        } else {
          await expect(prefixed.execute()).rejects.toMatchObject({ code: 'statement_refused' });
          await expect(hinted.getResult()).rejects.toMatchObject({ code: 'statement_refused' });
        }
      }));

    it('inserts and overlooks what is there, or puts it in its place, as far as the product can', () =>
      forTenant(async (em) => {
        const row = () => ({ tenant_id: tenantId(), id: newId(), name: 'new' });
        await em.insert(Tag, { id: newId(), name: 'new' });
        // #region ignore-and-replace
        const insert = () => em.getKysely<Tables>().insertInto('tag').values(row());
        const ignoring = engine.name === 'sqlite' ? insert().orIgnore() : insert().ignore(); // insert or ignore, insert ignore
        const replacing = em.getKysely<Tables>().replaceInto('tag').values(row());
        for (const statement of [ignoring, replacing]) {
          if (engine.name !== 'postgresql') await statement.execute();
          else await expect(statement.execute()).rejects.toMatchObject({ code: 'statement_refused' }); // it has neither
        }
        // On every product, and on record: what is there is brought up to date, or left alone.
        const { inserted, unchanged } = await bulkUpsert(em, Tag, [{ name: 'new' }, { name: 'sale' }], {
          by: ['name'],
        });
        // #endregion
        expect([inserted, unchanged]).toEqual([1, 1]);
        expect(names(await em.find(Tag, {}, { orderBy: { name: 'asc' } }))).toEqual(['new', 'sale']);
      }));

    it('has the same text for the same question, whatever it is asked with', () =>
      forTenant(async (em) => {
        await stock(em);
        const texts: string[] = [];
        const ask = async (name: string, least: number) => {
          const asked: string[] = [];
          // #region same-text
          const stop = watchStatements(({ sql }) => asked.push(sql));
          const fork = em.fork();
          await fork.find(
            Product,
            { name, stock: { $gte: least }, tags: { $some: { name } }, category: { parent: { name } } },
            { populate: ['tags', 'category'], orderBy: { price: { amount: 'asc' } }, limit: 5 },
          );
          await fork.find(OrderLine, { product: { name }, order: { status: 'open' } });
          await fork.count(Book, { name, isbn: `${least}` });
          await fork.findOne(Order, { id: newId() });
          await bulkUpdate(fork, Product, { where: { name, stock: least }, set: { stock: least } });
          stop();
          // #endregion
          texts.push(asked.join('\n'));
        };
        for (const [name, least] of [
          ['Dune', 1],
          ['Emma', 2],
          [`o'Neill "?" :x $1`, 3],
        ] as const)
          await ask(name, least);
        expect(texts[0]).toMatch(/select .* where .*\?/);
        expect(new Set(texts).size).toBe(1);
      }));
  });
});
