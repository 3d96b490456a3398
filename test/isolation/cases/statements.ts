import { raw, type Transaction } from '@mikro-orm/core';
import { type AbstractSqlConnection, type AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { sql } from 'kysely';
import { Book, OrderLine, Tag } from '#libs/testing';
import { BOTH, type IsolationCase, type Wall } from '../isolation-case.js';
import { type Attempt, keyOf, tableOf } from '../isolation-world.js';

const closedBy: readonly Wall[] = ['statements'];
const CHANGED = 'changed by a case';

interface Tables {
  tag: { tenant_id: string; id: string; name: string };
  category: { tenant_id: string; id: string; name: string };
  product: { tenant_id: string; id: string; name: string };
}

const kysely = ({ em }: Attempt) => em.getKysely<Tables>();
const connection = ({ em }: Attempt) => em.getConnection() as AbstractSqlConnection;

/** What goes round the ORM's own paths: query builder, Kysely, raw SQL, driver and connection. */
export const statements: readonly IsolationCase[] = [
  {
    title: 'query builder, select',
    refusedForAll: true,
    closedBy: BOTH,
    attempt: ({ em }) => em.qb(Tag).select('*').getResult(),
  },
  {
    title: 'query builder, by key',
    closedBy,
    attempt: ({ em, target }) => em.qb(Tag).select('*').where({ tenantId: target.tenant.id, id: target.tag }).execute(),
  },
  {
    title: 'query builder, count',
    refusedForAll: true,
    closedBy,
    attempt: ({ em, target }) => em.qb(Tag).where({ id: target.tag }).getCount(),
    hasReached: (result) => Number(result) > 0,
  },
  {
    title: 'query builder, join',
    refusedForAll: true,
    closedBy: BOTH,
    attempt: ({ em, target }) =>
      em
        .qb(OrderLine, 'l')
        .leftJoinAndSelect('l.product', 'p')
        .where({ 'l.id': target.line } as never)
        .getResult(),
  },
  {
    title: 'query builder, sub-query in the list',
    refusedForAll: true,
    closedBy,
    attempt: ({ em, target }) =>
      em
        .qb(Tag, 't')
        .select(raw(`(select max(name) from ${tableOf(em, 'category')} where id = '${target.category}') as x`))
        .execute(),
  },
  {
    title: 'query builder, stream',
    refusedForAll: true,
    closedBy: BOTH,
    attempt: async ({ em }) => {
      const all = [];
      for await (const row of em.qb(Tag).select('*').stream()) all.push(row);
      return all;
    },
  },
  {
    title: 'query builder, update',
    refusedForAll: true,
    closedBy,
    attempt: ({ em, target }) => em.qb(Tag).update({ name: CHANGED }).where({ id: target.tag }).execute(),
  },
  {
    title: 'query builder, delete',
    refusedForAll: true,
    closedBy,
    attempt: ({ em, target }) => em.qb(OrderLine).delete({ id: target.line }).execute(),
  },
  {
    title: 'query builder, insert',
    closedBy,
    attempt: ({ em, target }) =>
      em
        .qb(Tag)
        .insert({ tenantId: target.tenant.id, id: target.book, name: CHANGED } as never)
        .execute(),
  },
  {
    title: 'Kysely, select',
    refusedForAll: true,
    closedBy,
    attempt: (it) => kysely(it).selectFrom('tag').selectAll().execute(),
  },
  {
    title: 'Kysely, by key',
    closedBy,
    attempt: (it) =>
      kysely(it)
        .selectFrom('tag')
        .selectAll()
        .where('tenant_id', '=', it.target.tenant.id)
        .where('id', '=', it.target.tag)
        .execute(),
  },
  {
    title: 'Kysely, alternatives',
    closedBy,
    attempt: (it) =>
      kysely(it)
        .selectFrom('tag')
        .selectAll()
        .where((where) => where.or([where('tenant_id', '=', it.own.tenant.id), where('id', '=', it.target.tag)]))
        .execute(),
    refusedForAll: true,
  },
  {
    title: 'Kysely, join that forgets the tenant',
    closedBy,
    attempt: (it) =>
      kysely(it)
        .selectFrom('tag as t')
        .innerJoin('category as c', (join) => join.onTrue())
        .select('c.name')
        .where('t.tenant_id', '=', it.own.tenant.id)
        .execute(),
    refusedForAll: true,
  },
  {
    title: 'Kysely, stream',
    refusedForAll: true,
    closedBy,
    attempt: async (it) => {
      const all = [];
      for await (const row of kysely(it).selectFrom('tag').selectAll().stream()) all.push(row);
      return all;
    },
  },
  {
    title: 'Kysely, its own transaction',
    refusedForAll: true,
    closedBy,
    attempt: (it) =>
      kysely(it)
        .transaction()
        .execute((trx) => trx.selectFrom('tag').selectAll().execute()),
  },
  {
    title: 'Kysely, one connection',
    refusedForAll: true,
    closedBy,
    attempt: (it) =>
      kysely(it)
        .connection()
        .execute((one) => one.selectFrom('tag').selectAll().execute()),
  },
  {
    title: 'Kysely, a template',
    refusedForAll: true,
    closedBy,
    attempt: (it) =>
      sql`select name from ${sql.table(tableOf(it.em, 'tag'))} where id = ${it.target.tag}`.execute(kysely(it)),
  },
  {
    title: 'Kysely, update',
    refusedForAll: true,
    closedBy,
    attempt: (it) => kysely(it).updateTable('tag').set({ name: CHANGED }).where('id', '=', it.target.tag).execute(),
  },
  {
    title: 'Kysely, delete',
    refusedForAll: true,
    closedBy,
    attempt: (it) =>
      sql`delete from ${sql.table(tableOf(it.em, 'order_line'))} where id = ${it.target.line}`.execute(kysely(it)),
  },
  {
    title: 'Kysely, insert',
    closedBy,
    attempt: (it) =>
      kysely(it)
        .insertInto('tag')
        .values({ tenant_id: it.target.tenant.id, id: it.target.book, name: CHANGED })
        .execute(),
  },
  {
    title: 'Kysely in a transaction of the EntityManager',
    refusedForAll: true,
    closedBy,
    attempt: async ({ em, target }) => {
      await em.begin();
      try {
        return await em.getKysely<Tables>().selectFrom('tag').selectAll().where('id', '=', target.tag).execute();
      } finally {
        await em.rollback();
      }
    },
  },
  {
    title: 'raw SQL',
    refusedForAll: true,
    closedBy,
    attempt: ({ em, target }) => em.execute(`select * from ${tableOf(em, 'tag')} where id = ?`, [target.tag]),
  },
  {
    title: 'raw SQL with the tenant of somebody',
    closedBy,
    attempt: ({ em, target }) =>
      em.execute(`select * from ${tableOf(em, 'tag')} where tenant_id = ?`, [target.tenant.id]),
  },
  {
    title: 'raw SQL with values written into it',
    closedBy,
    attempt: ({ em, target }) =>
      em.execute(`select * from ${tableOf(em, 'tag')} where tenant_id = '${target.tenant.id}'`),
  },
  {
    title: 'raw SQL with a question mark in a comment, which shifts the values',
    closedBy,
    attempt: ({ em, own, target }) =>
      em.execute(`/* ? */ select name from ${tableOf(em, 'tag')} where tenant_id = ?`, [
        own.tenant.id,
        target.tenant.id,
      ]),
  },
  {
    title: 'raw SQL with a fragment as a value',
    closedBy,
    attempt: ({ em, own, target }) =>
      em.execute(`select ? as x from ${tableOf(em, 'tag')} where tenant_id = ?`, [
        raw(`(select name from ${tableOf(em, 'tag')} where id = '${target.tag}')`),
        own.tenant.id,
      ]),
    refusedForAll: true,
  },
  {
    title: 'raw SQL that joins two tenants',
    refusedForAll: true,
    closedBy,
    attempt: ({ em, own, target }) =>
      em.execute(
        `select b.name from ${tableOf(em, 'tag')} a join ${tableOf(em, 'tag')} b on b.id = ? where a.tenant_id = ?`,
        [target.tag, own.tenant.id],
      ),
  },
  {
    title: 'raw SQL, union',
    closedBy,
    attempt: ({ em, own }) =>
      em.execute(
        `select name from ${tableOf(em, 'tag')} where tenant_id = ? union all select name from ${tableOf(em, 'tag')}`,
        [own.tenant.id],
      ),
    refusedForAll: true,
  },
  {
    title: 'raw SQL that copies foreign rows',
    closedBy,
    attempt: ({ em, own, target }) =>
      em.execute(
        `insert into ${tableOf(em, 'category')} (tenant_id, id, name) select ?, id, name from ${tableOf(em, 'tag')} where id = ?`,
        [own.tenant.id, target.tag],
      ),
    refusedForAll: true,
  },
  {
    title: 'raw SQL, update',
    refusedForAll: true,
    closedBy,
    attempt: ({ em, target }) =>
      em.execute(`update ${tableOf(em, 'tag')} set name = ? where id = ?`, [CHANGED, target.tag]),
  },
  {
    title: 'raw SQL, delete',
    closedBy,
    attempt: ({ em, target }) =>
      em.execute(`delete from ${tableOf(em, 'order_line')} where tenant_id = ? and id = ?`, keyOf(target, 'line')),
  },
  {
    title: 'raw SQL, insert',
    closedBy,
    attempt: ({ em, target }) =>
      em.execute(`insert into ${tableOf(em, 'tag')} (tenant_id, id, name) values (?, ?, ?)`, [
        target.tenant.id,
        target.book,
        CHANGED,
      ]),
  },
  {
    title: 'raw SQL on the connection',
    refusedForAll: true,
    closedBy,
    attempt: (it) => connection(it).execute(`select * from ${tableOf(it.em, 'tag')} where id = ?`, [it.target.tag]),
  },
  {
    title: 'raw SQL streamed from the connection',
    refusedForAll: true,
    closedBy,
    attempt: async (it) => {
      const all = [];
      for await (const row of connection(it).stream(`select * from ${tableOf(it.em, 'tag')} where id = ?`, [
        it.target.tag,
      ]))
        all.push(row);
      return all;
    },
  },
  {
    title: 'raw SQL on the connection of reads',
    refusedForAll: true,
    closedBy,
    attempt: ({ em, target }) =>
      (em.getConnection('read') as AbstractSqlConnection).execute(`select * from ${tableOf(em, 'tag')} where id = ?`, [
        target.tag,
      ]),
  },
  {
    title: 'the client of the connection',
    refusedForAll: true,
    closedBy,
    attempt: (it) =>
      sql`select * from ${sql.table(tableOf(it.em, 'tag'))} where id = ${it.target.tag}`.execute(
        connection(it).getClient(),
      ),
  },
  {
    title: 'the driver, find',
    refusedForAll: true,
    closedBy,
    attempt: ({ em, target }) => em.getDriver().find(Tag, { id: target.tag }, { schema: em.schema }),
  },
  {
    title: 'the driver, findOne of a leaf',
    refusedForAll: true,
    closedBy,
    attempt: ({ em, target }) => em.getDriver().findOne(Book, { id: target.book }, { schema: em.schema }),
  },
  {
    title: 'the driver, count',
    refusedForAll: true,
    closedBy,
    attempt: ({ em, target }) => em.getDriver().count(Tag, { id: target.tag }, { schema: em.schema }),
    hasReached: (result) => Number(result) > 0,
  },
  {
    title: 'the driver, nativeUpdate',
    refusedForAll: true,
    closedBy,
    attempt: ({ em, target }) =>
      em.getDriver().nativeUpdate(Tag, { id: target.tag }, { name: CHANGED }, { schema: em.schema }),
  },
  {
    title: 'the driver, nativeDelete',
    refusedForAll: true,
    closedBy,
    attempt: ({ em, target }) => em.getDriver().nativeDelete(OrderLine, { id: target.line }, { schema: em.schema }),
  },
  {
    title: 'the driver, nativeInsert',
    closedBy,
    attempt: ({ em, target }) =>
      em.getDriver().nativeInsert(Tag, { tenantId: target.tenant.id, id: target.book, name: CHANGED } as never, {
        schema: em.schema,
      }),
  },
  {
    title: 'an EntityManager of its own on the same driver',
    refusedForAll: true,
    closedBy,
    attempt: ({ em, target }) => {
      const driver = em.getDriver() as AbstractSqlDriver;
      return new SqlEntityManager(em.config, driver, em.getMetadata(), false).find(
        Tag,
        { id: target.tag },
        { schema: em.schema },
      );
    },
  },
  {
    title: 'a transaction handed to another EntityManager',
    refusedForAll: true,
    closedBy,
    attempt: async ({ em, target }) => {
      await em.begin();
      try {
        const ctx = em.getTransactionContext() as Transaction;
        return await em.getDriver().find(Tag, { id: target.tag }, { ctx, schema: em.schema });
      } finally {
        await em.rollback();
      }
    },
  },
];
