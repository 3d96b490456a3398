import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { type EngineName, runInSystemFrame } from '#libs/persistence';
import { aDatabase, Book, eachEngine, Order, OrderLine, shopModel, Tag } from '#libs/testing';
import { BOTH } from './isolation-case.js';
import { openWith } from './isolation-run.js';
import { aShop, as, keyOf, made, type Shop } from './isolation-world.js';

type Link = (em: SqlEntityManager, own: Shop, target: Shop) => Promise<unknown>;

/** Rows of the own tenant that are to refer to rows of another one: by objects, which the guard looks at. */
const byObjects: Readonly<Record<string, Link>> = {
  'a new line of an own order, for a foreign product': async (em, own, target) => {
    const order = await em.findOneOrFail(Order, { tenantId: own.tenant.id, id: own.order });
    const product = made(em, Book, keyOf(target, 'book'));
    em.create(OrderLine, { tenantId: own.tenant.id, order, product, quantity: 1 });
    await em.flush();
  },
  'an own line that is given a foreign product': async (em, own, target) => {
    const line = await em.findOneOrFail(OrderLine, { tenantId: own.tenant.id, id: own.line });
    line.product = made(em, Book, keyOf(target, 'book'));
    await em.flush();
  },
  'a foreign tag for an own product': async (em, own, target) => {
    const book = await em.findOneOrFail(Book, { tenantId: own.tenant.id, id: own.book }, { populate: ['tags'] });
    book.tags.add(made(em, Tag, keyOf(target, 'tag')));
    await em.flush();
  },
};

/** And by nothing but an id, which could be one of the own: only the keys of the database know that it is not. */
const byIds: Readonly<Record<string, Link>> = {
  'an update with the id of a foreign product': (em, own, target) => {
    const data = { product: [own.tenant.id, target.book] };
    return em.nativeUpdate(OrderLine, { tenantId: own.tenant.id, id: own.line }, data as never);
  },
  'SQL with the id of a foreign product': (em, own, target) =>
    em.execute('update order_line set product_id = ? where tenant_id = ? and id = ?', [
      target.book,
      own.tenant.id,
      own.line,
    ]),
  'SQL with the id of a foreign tag': (em, own, target) =>
    em.execute('insert into product_tag (tenant_id, product_id, tag_id) values (?, ?, ?)', [
      own.tenant.id,
      own.book,
      target.tag,
    ]),
};

/** Takes the wall "composite foreign keys" away, for a connection. */
const WITHOUT_KEYS: Readonly<Record<EngineName, string>> = {
  sqlite: 'pragma foreign_keys = off',
  postgresql: 'set session_replication_role = replica',
  mysql: 'set foreign_key_checks = 0',
  mariadb: 'set foreign_key_checks = 0',
};

describe('links to rows of another tenant', () => {
  eachEngine((engine) => {
    const witness = aDatabase(engine, shopModel);
    const orms = new Map<string, MikroORM<AbstractSqlDriver>>();
    const nameOf = ({ guard, keys }: { guard: boolean; keys: boolean }) =>
      `${guard ? 'guard' : 'no guard'}, ${keys ? 'keys' : 'no keys'}`;

    beforeAll(async () => {
      for (const guard of [true, false]) {
        for (const keys of [true, false]) {
          const orm = await openWith(engine, witness, guard ? BOTH : []);
          const em = orm.em.fork() as SqlEntityManager;
          if (!keys) await runInSystemFrame('spec', () => em.execute(WITHOUT_KEYS[engine.name]));
          orms.set(nameOf({ guard, keys }), orm);
        }
      }
    });
    afterAll(async () => {
      for (const orm of orms.values()) await orm.close(true);
    });

    /** In which builds the link was made, as somebody sees it whom nothing holds. */
    async function madeIn(link: Link): Promise<string[]> {
      const through: string[] = [];
      for (const [build, orm] of orms) {
        const [own, target] = [await aShop(witness, 'own'), await aShop(witness, 'target')];
        await as(own.tenant, async () => link(orm.em.fork() as SqlEntityManager, own, target)).catch(() => undefined);
        const look = witness.fork();
        const lines = await look.execute('select id from order_line where order_id = ? and product_id = ?', [
          own.order,
          target.book,
        ]);
        const tags = await look.execute('select tag_id from product_tag where product_id = ? and tag_id = ?', [
          own.book,
          target.tag,
        ]);
        if (lines.length + tags.length > 0) through.push(build);
        await removeLinks(own);
      }
      return through;
    }

    /** The tables are to be dropped with their keys on. */
    async function removeLinks({ book, order }: Shop): Promise<void> {
      await witness.fork().execute('delete from order_line where order_id = ?', [order]);
      await witness.fork().execute('delete from product_tag where product_id = ?', [book]);
    }

    it.each(Object.entries(byObjects))('are made by neither the guard nor the keys: %s', async (_, link) => {
      expect(await madeIn(link)).toEqual(['no guard, no keys']);
    });

    it.each(Object.entries(byIds))('are not made where keys carry the tenant: %s', async (_, link) => {
      expect(await madeIn(link)).toEqual(['guard, no keys', 'no guard, no keys']);
    });

    it.each(Object.entries({ ...byObjects, ...byIds }))('are made to own rows: %s', async (_, link) => {
      const orm = orms.get('guard, keys') as MikroORM<AbstractSqlDriver>;
      const own = await aShop(witness, 'own');
      const more = await as(own.tenant, async () => {
        const em = orm.em.fork() as SqlEntityManager;
        const { price } = await em.findOneOrFail(Book, { id: own.book });
        const book = em.create(Book, { sku: 'second', name: 'second', price, isbn: '2' });
        const tag = em.create(Tag, { name: 'second' });
        await em.flush();
        return { ...own, book: book.id, tag: tag.id };
      });
      await as(own.tenant, async () => link(orm.em.fork() as SqlEntityManager, own, more));
      const look = witness.fork();
      const counts = [
        await look.execute('select id from order_line where order_id = ? and product_id = ?', [own.order, more.book]),
        await look.execute('select tag_id from product_tag where product_id = ? and tag_id = ?', [own.book, more.tag]),
      ];
      expect(counts.flat()).toHaveLength(1);
    });
  });
});
