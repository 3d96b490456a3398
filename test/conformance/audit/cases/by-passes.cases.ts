import { expect } from '@jest/globals';
import { raw } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { AuditEntry } from '#libs/audit';
import { appendRows, bulkInsert, Money, newId } from '#libs/persistence';
import { CardPayment, Payment, Tag } from '#libs/testing';
import { SearchTerm } from '../audit.model.js';
import type { AuditCase } from '../audit-case.js';
import type { AuditWorld } from '../audit-world.js';
import { aBook } from './changes.cases.js';

/** Every table of these cases: what a by-pass would have changed. */
const TABLES = ['tag', 'product', 'book', 'product_tag', 'payment', 'audit_entry'];

interface Tables {
  [table: string]: { tenant_id: string; id: string; name: string; occurred_at: Date; action: string };
}

type Attempt = (em: SqlEntityManager, own: string) => Promise<unknown>;
type Attempts = Readonly<Record<string, Attempt>>;

/** How raw SQL calls a table: where schemas are named in the SQL, it must name its own. */
const at = (em: SqlEntityManager, table: string) => (em.schema === undefined ? table : `${em.schema}.${table}`);

const kysely = (em: SqlEntityManager) => em.getKysely<Tables>();

/** One row of everything, linked: there is something to change, and to lose. */
async function aStock(world: AuditWorld): Promise<void> {
  await world.write((em) => {
    const book = aBook(em, { name: 'kept' });
    book.tags.add(em.create(Tag, { name: 'kept' }));
    em.create(CardPayment, { amount: new Money(1, 'EUR') });
    em.create(SearchTerm, { term: 'kept' });
  });
}

async function rowsOf(world: AuditWorld): Promise<unknown> {
  const rows = TABLES.map((table) => world.execute(`select * from ${table} where tenant_id = ?`, [world.tenant.id]));
  return JSON.stringify(await Promise.all(rows));
}

/** What became of each attempt: the name of the error that refused it. */
async function outcomesOf(world: AuditWorld, attempts: Attempts): Promise<Record<string, string>> {
  const outcomes: Record<string, string> = {};
  for (const [name, attempt] of Object.entries(attempts)) {
    const run = world.as((em) => attempt(em, world.tenant.id));
    outcomes[name] = await run.then(
      () => 'let through',
      (error: Error) => error.constructor.name,
    );
  }
  return outcomes;
}

/** Every attempt is refused by `error`, and nothing at all has changed. */
async function expectRefused(world: AuditWorld, error: string, attempts: Attempts): Promise<void> {
  await aStock(world);
  const before = await rowsOf(world);
  const expected = Object.fromEntries(Object.keys(attempts).map((name) => [name, error]));
  expect(await outcomesOf(world, attempts)).toEqual(expected);
  expect(await rowsOf(world)).toBe(before);
}

const native: Attempts = {
  nativeUpdate: (em) => em.nativeUpdate(Tag, { name: 'kept' }, { name: 'x' }),
  'nativeUpdate by expression': (em) => em.nativeUpdate(Tag, {}, { name: raw('upper(name)') }),
  'nativeUpdate of a base class': (em) => em.nativeUpdate(Payment, {}, { amount: { amount: 2 } } as never),
  nativeDelete: (em) => em.nativeDelete(Tag, {}),
  'nativeDelete that finds nothing': (em) => em.nativeDelete(Payment, { method: 'wallet' }),
  insert: (em) => em.insert(Tag, { name: 'x' }),
  insertMany: (em) => em.insertMany(Tag, [{ name: 'x' }, { name: 'y' }]),
  upsert: (em) => em.upsert(Tag, { name: 'x' } as never, { onConflictFields: ['tenantId', 'name'] as never }),
  upsertMany: (em) =>
    em.upsertMany(Tag, [{ name: 'x' }, { name: 'kept' }] as never, { onConflictFields: ['tenantId', 'name'] as never }),
  'in a transaction': (em) => em.transactional((inner) => inner.nativeUpdate(Tag, {}, { name: 'x' })),
  'between begin and commit': async (em) => {
    await em.begin();
    await em.nativeUpdate(Tag, {}, { name: 'x' }).finally(() => em.rollback());
  },
  'beside a flush': async (em) => {
    em.create(SearchTerm, { term: 'flushed' });
    const [flushed, written] = await Promise.allSettled([em.flush(), em.fork().nativeUpdate(Tag, {}, { name: 'x' })]);
    if (flushed.status === 'rejected') throw new Error('the flush was refused');
    if (written.status === 'rejected') throw written.reason;
  },
  'driver.nativeUpdate': (em, own) =>
    em.getDriver().nativeUpdate(Tag, { tenantId: own }, { name: 'x' }, { schema: em.schema as never }),
  'driver.nativeInsert': (em, own) =>
    em
      .getDriver()
      .nativeInsert(Tag, { tenantId: own, id: newId(), name: 'x' } as never, { schema: em.schema as never }),
  'driver.nativeDelete': (em, own) =>
    em.getDriver().nativeDelete(Tag, { tenantId: own }, { schema: em.schema as never }),
};

const built: Attempts = {
  'builder: update': (em, own) => em.createQueryBuilder(Tag).update({ name: 'x' }).where({ tenantId: own }).execute(),
  'builder: delete': (em, own) => em.createQueryBuilder(Tag).delete().where({ tenantId: own }).execute(),
  'builder: insert': (em, own) =>
    em.createQueryBuilder(Tag).insert({ tenantId: own, id: newId(), name: 'x' }).execute(),
  'builder: insert or update': (em, own) =>
    em
      .createQueryBuilder(Tag)
      .insert({ tenantId: own, id: newId(), name: 'kept' })
      .onConflict(['tenantId', 'name'] as never)
      .merge(['id'])
      .execute(),
  'kysely: update': (em, own) =>
    kysely(em).updateTable('tag').set({ name: 'x' }).where('tenant_id', '=', own).execute(),
  'kysely: update of a root table': (em, own) =>
    kysely(em).updateTable('product').set({ name: 'x' }).where('tenant_id', '=', own).execute(),
  'kysely: delete of a kind': (em, own) => kysely(em).deleteFrom('book').where('tenant_id', '=', own).execute(),
  'kysely: insert': (em, own) =>
    kysely(em)
      .insertInto('tag')
      .values({ tenant_id: own, id: newId(), name: 'x' } as never)
      .execute(),
  'kysely: in its own transaction': (em, own) =>
    kysely(em)
      .transaction()
      .execute((inner) => inner.updateTable('tag').set({ name: 'x' }).where('tenant_id', '=', own).execute()),
};

/** Written so that every engine would take it. */
const rawSql: Attempts = {
  update: (em, own) => em.execute(`update ${at(em, 'tag')} set name = ? where tenant_id = ?`, ['x', own]),
  'update, values in the text': (em, own) =>
    em.execute(`update ${at(em, 'tag')} set name = 'x' where tenant_id = '${own}'`),
  'update in capitals, after a comment': (em, own) =>
    em.execute(`/* tidy */ UPDATE ${at(em, 'Tag')} SET name = ? WHERE tenant_id = ?`, ['x', own]),
  delete: (em, own) => em.execute(`delete from ${at(em, 'tag')} where tenant_id = ?`, [own]),
  insert: (em, own) =>
    em.execute(`insert into ${at(em, 'tag')} (tenant_id, id, name) values (?, ?, ?)`, [own, newId(), 'x']),
  'insert of a selection': (em, own) =>
    em.execute(
      `insert into ${at(em, 'tag')} (tenant_id, id, name)
       select tenant_id, id, 'x' from ${at(em, 'search_term')} where tenant_id = ?`,
      [own],
    ),
  unlink: (em, own) => em.execute(`delete from ${at(em, 'product_tag')} where tenant_id = ?`, [own]),
  'through the connection': (em, own) =>
    em.getConnection().execute(`update ${at(em, 'tag')} set name = ? where tenant_id = ?`, ['x', own]),
  'update with a common table expression': (em, own) =>
    em.execute(
      `with kept as (select tenant_id, id from ${at(em, 'tag')} where tenant_id = ?)
       update ${at(em, 'tag')} set name = 'x' where tenant_id = ? and id in (select id from kept)`,
      [own, own],
    ),
};

const hooks = ['beforeCreate', 'afterCreate', 'onFlush', 'afterFlush', 'beforeTransactionCommit'] as const;

/** A subscriber that writes past the unit of work, from inside its flush. */
const fromHooks = Object.fromEntries(
  hooks.map((hook): [string, Attempt] => [
    hook,
    async (em) => {
      const own = em.fork({ freshEventManager: true });
      const write = async (args: { em: unknown }) => {
        await (args.em as SqlEntityManager).nativeUpdate(Tag, {}, { name: 'x' });
      };
      own.getEventManager().registerSubscriber({ [hook]: write });
      own.create(SearchTerm, { term: 'flushed' });
      await own.flush();
    },
  ]),
);

const forgeries: Attempts = {
  'raw delete': (em, own) => em.execute(`delete from ${at(em, 'audit_entry')} where tenant_id = ?`, [own]),
  'raw update': (em, own) =>
    em.execute(`update ${at(em, 'audit_entry')} set actor_id = 'x' where tenant_id = ?`, [own]),
  'kysely delete': (em, own) => kysely(em).deleteFrom('audit_entry').where('tenant_id', '=', own).execute(),
  nativeUpdate: (em) => em.nativeUpdate(AuditEntry, {}, { actorId: 'x' }),
  nativeDelete: (em) => em.nativeDelete(AuditEntry, {}),
  insert: (em) => em.insert(AuditEntry, { action: 'x', occurredAt: new Date(), actorType: 'user' }),
  'flush of a forged entry': async (em) => {
    em.persist(Object.assign(new AuditEntry(), { action: 'x', occurredAt: new Date(), actorType: 'user' }));
    await em.flush();
  },
  'bulk insert of a forged entry': (em) =>
    bulkInsert(em, AuditEntry, [{ action: 'x', occurredAt: new Date(), actorType: 'user' }]),
};

export const byPassCases: AuditCase[] = [
  {
    title: 'refuses native writes of audited rows, in and outside of transactions',
    control: 'unguarded',
    run: (world) => expectRefused(world, 'UnannouncedWriteError', native),
  },
  {
    title: 'refuses writes of audited rows by query builder and Kysely',
    control: 'unguarded',
    run: (world) => expectRefused(world, 'UnannouncedWriteError', built),
  },
  {
    title: 'refuses raw SQL that writes audited rows, however it is sent',
    control: 'unguarded',
    run: (world) => expectRefused(world, 'UnannouncedWriteError', rawSql),
  },
  {
    title: 'refuses what hooks write past the flush that calls them',
    control: 'unguarded',
    run: (world) => expectRefused(world, 'UnannouncedWriteError', fromHooks),
  },
  {
    title: 'refuses to append rows of audited classes as if they were a record',
    control: 'unguarded',
    run: (world) =>
      expectRefused(world, 'UnannouncedWriteError', {
        appendRows: (em, own) =>
          em.transactional((inner) =>
            appendRows({ entityManager: inner, transaction: inner.getTransactionContext() as never }, Tag, {
              count: 1,
              own: { id: [newId()], name: ['x'] },
              shared: { tenantId: own },
            }),
          ),
      }),
  },
  {
    title: 'refuses to change, delete or forge an entry, whoever sends it',
    control: 'unguarded',
    run: (world) => expectRefused(world, 'AppendOnlyError', forgeries),
  },
  {
    title: 'names what to write instead',
    control: 'unguarded',
    async run(world) {
      const write = world.as((em) => em.nativeUpdate(Tag, {}, { name: 'x' }));
      await expect(write).rejects.toThrow(/"tag" .*flush.*bulkInsert, bulkUpsert, bulkUpdate or bulkDelete/);
    },
  },
  {
    title: 'keeps out of the way of rows that are left out of the trail',
    control: 'overzealous',
    async run(world) {
      await aStock(world);
      const outcomes = await outcomesOf(world, {
        nativeUpdate: (em) => em.nativeUpdate(SearchTerm, {}, { term: 'x' }),
        insert: (em) => em.insert(SearchTerm, { id: newId(), term: 'y' } as never),
        kysely: (em, own) => kysely(em).deleteFrom('search_term').where('tenant_id', '=', own).execute(),
        'locking read': (em, own) =>
          em.transactional((inner) => inner.execute(`select id from ${at(inner, 'tag')} where tenant_id = ?`, [own])),
      });
      expect(new Set(Object.values(outcomes))).toEqual(new Set(['let through']));
    },
  },
];
