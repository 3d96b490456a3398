import { beforeEach, describe, expect, it } from '@jest/globals';
import type { EntityClass } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { type ContextTenant, NoTenantInContextError, runInContext } from '#libs/context';
import { Money } from '#libs/persistence';
import {
  aDatabase,
  aTenant,
  Book,
  CardPayment,
  Category,
  eachEngine,
  expectStatements,
  Payment,
  Product,
  shopModel,
} from '#libs/testing';
import { BulkUnsupportedError } from '../errors/bulk-unsupported.error.js';
import { Ledger, ledgerModel, RecordingSubscriber } from '../events/change-events.fixture.js';
import { ChangeEventsSubscriber } from '../events/change-events.subscriber.js';
import {
  as,
  bulkModel,
  Invoice,
  Place,
  Puppy,
  Shelf,
  ShelfCount,
  Specimen,
  Ticket,
  UrgentTicket,
} from './bulk.fixture.js';
import { bulkInsert } from './bulk-insert.js';

type Row = Record<string, unknown>;

function failOn(error: unknown): never {
  throw error;
}

const at = new Date('2026-02-03T04:05:06.789Z');

/** Every kind of value, and the awkward ones of each. */
const specimens: Row[] = [
  { code: 'bare' },
  {
    code: 'full',
    big: 9_007_199_254_740_993n,
    size: 42,
    weight: '12345678.90',
    ratio: 0.1,
    legs: 6,
    isAlive: false,
    foundOn: '2026-02-03',
    seenAt: at,
    fedAt: new Date('2026-02-03T04:05:06Z'),
    note: `quote ' double " back \\ slash, emoji 😀, new\nline, percent %s ? $1`,
    data: { b: [1, { c: null }], a: 'ü "quoted" \\ 😀' },
    picture: Buffer.from([0, 1, 2, 255]),
    names: ['a', 'b c', 'd"e'],
    labels: ['x', "y'z"],
    mood: 'wild',
    secret: 'hidden',
    value: new Money(9_007_199_254_740_991, 'EUR'),
    home: Object.assign(new Place(), { city: 'Köln', zip: '50667' }),
    trips: [Object.assign(new Place(), { city: 'Ulm' }), Object.assign(new Place(), { city: 'Bonn', zip: '53111' })],
    rank: 1,
    slug: 'own-slug',
  },
  { code: 'nulls', big: null, data: null, seenAt: null, value: null, home: null, shelf: null, names: null },
  { code: 'edges', big: -(2n ** 63n), ratio: -1e300, note: '', data: 'text', names: [], labels: [], size: -1, legs: 0 },
  { code: 'json', data: [], weight: '0.00', foundOn: '1969-12-31', seenAt: new Date(-1) },
];

describe('bulkInsert', () => {
  eachEngine((engine) => {
    const seen = new RecordingSubscriber();
    const database = aDatabase(engine, [...shopModel, ...ledgerModel, ...bulkModel], {
      subscribers: [new ChangeEventsSubscriber({ subscribers: [seen], onError: failOn })],
    });
    let tenant: ContextTenant;
    beforeEach(() => {
      tenant = aTenant();
      seen.take();
    });

    const insert = <T extends object>(entity: EntityClass<T>, rows: object[], em = database.fork()) =>
      as(tenant, () => bulkInsert(em, entity, rows as never));

    /** Writes the same rows by a flush, for another tenant. */
    async function flush<T extends object>(entity: EntityClass<T>, rows: Row[]): Promise<ContextTenant> {
      const other = aTenant();
      await as(other, async () => {
        const em = database.fork();
        for (const row of rows) {
          em.create(entity, row as never);
          // One by one: on SQLite, MikroORM inserts null where one row of several leaves a column to its table.
          await em.flush();
        }
      });
      return other;
    }

    /** What lies in a table, without what differs from write to write. */
    async function stored(table: string, { id }: ContextTenant, order: string): Promise<Row[]> {
      const em = database.fork();
      const rows = await em.execute(`select * from ${table} where tenant_id = ? order by ${order}`, [id]);
      return rows.map(
        ({ tenant_id: _t, id: _i, created_at: _c, updated_at: _u, touched_at: _h, ...rest }: Row) => rest,
      );
    }

    describe('stores what a flush stores', () => {
      it('of every kind of value', async () => {
        const other = await flush(Specimen, specimens);
        expect(await insert(Specimen, specimens)).toEqual({ inserted: specimens.length, rejected: 0 });
        expect(await stored('specimen', tenant, 'code')).toEqual(await stored('specimen', other, 'code'));
      });

      it.each([
        ['with quotes, with nothing in them, or absent', ['"a" \\ {b,c}', '', 'NULL', null, '😀']],
        ['of one control character', ['\u001e', 'a', null]],
        ['with control characters', ['\u001e', 'a\u001fb', '\u001f', '', null, '\u0001']],
        ['alone and empty', ['']],
        ['all absent', [null, null]],
      ])('of long texts %s', async (_, notes) => {
        const rows = notes.map((note, index) => ({ code: `${index}`, note }));
        const other = await flush(Specimen, rows);
        await insert(Specimen, rows);
        const found = await stored('specimen', tenant, 'code');
        expect(found.map(({ note }) => note)).toEqual(notes);
        expect(found).toEqual(await stored('specimen', other, 'code'));
      });

      if (engine.name === 'sqlite') {
        it('in the same storage classes', async () => {
          const other = await flush(Specimen, specimens);
          await insert(Specimen, specimens);
          const em = database.fork();
          const [first] = await em.execute('select * from specimen');
          const types = Object.keys(first as Row).map((name) => `typeof(${name}) as ${name}`);
          const typesOf = ({ id }: ContextTenant) =>
            em.execute(`select ${types.join()} from specimen where tenant_id = ? order by code`, [id]);
          expect(await typesOf(tenant)).toEqual(await typesOf(other));
        });
      }

      it('in both tables of a class-table entity', async () => {
        const rows = [
          { sku: 'b-1', name: 'Dune', price: new Money(999, 'EUR'), isbn: '1', attributes: { a: 1 }, labels: ['new'] },
          { sku: 'b-2', name: 'Emma', price: { amount: 1, currency: 'USD' }, isbn: '2', stock: 5 },
        ];
        const other = await flush(Book, rows);
        await insert(Book, rows);
        expect(await stored('product', tenant, 'sku')).toEqual(await stored('product', other, 'sku'));
        expect(await stored('book', tenant, 'isbn')).toEqual(await stored('book', other, 'isbn'));
        const books = await database.fork().find(Product, { tenantId: tenant.id }, { orderBy: { sku: 'asc' } });
        expect(books).toMatchObject([
          { type: 'book', sku: 'b-1', isbn: '1', version: 1, stock: 0 },
          { type: 'book', sku: 'b-2', isbn: '2', version: 1, price: { amount: 1, currency: 'USD' } },
        ]);
        expect(books[0]).toBeInstanceOf(Book);
        expect(books[0]?.createdAt).toEqual(books[0]?.updatedAt);
      });

      it('in the one table of a single-table hierarchy', async () => {
        const rows = [{ amount: new Money(5, 'EUR'), lastFour: '4242' }];
        const other = await flush(CardPayment, rows);
        await insert(CardPayment, rows);
        expect(await stored('payment', tenant, 'id')).toEqual(await stored('payment', other, 'id'));
        expect(await database.fork().findOneOrFail(Payment, { tenantId: tenant.id })).toBeInstanceOf(CardPayment);
      });

      it('in three tables, where no tenant is', async () => {
        await insert(Puppy, [{ id: 1, name: 'Rex', tag: 'r-1', fee: new Money(3, 'EUR'), weeks: 8 }]);
        expect(await database.fork().findOneOrFail(Puppy, 1)).toMatchObject({
          name: 'Rex',
          tag: 'r-1',
          fee: { amount: 3, currency: 'EUR' },
          weeks: 8,
        });
      });

      it('through constructors that take parameters', async () => {
        await insert(Invoice, [{ number: 'a-1', note: 'n' }, { number: 'a-2' }]);
        const invoices = await database.fork().find(Invoice, { tenantId: tenant.id }, { orderBy: { number: 'asc' } });
        expect(invoices).toMatchObject([{ number: 'A-1', note: 'n' }, { number: 'A-2' }]);
        const rows = [{ subject: 'a' }, { subject: 'b', priority: 1 }];
        await insert(Ticket, rows);
        await insert(UrgentTicket, rows);
        const other = await flush(Ticket, rows);
        await as(other, async () => {
          const em = database.fork();
          for (const row of rows) em.create(UrgentTicket, row as never);
          await em.flush();
        });
        expect(await stored('ticket', tenant, 'kind, subject')).toEqual(await stored('ticket', other, 'kind, subject'));
        expect(await stored('ticket', tenant, 'kind, subject')).toHaveLength(4);
      });
    });

    it('leaves nothing to flush in what is loaded afterwards', async () => {
      const shelf = await as(tenant, async () => Object.assign(new Shelf(), { name: 'upper' }));
      await insert(Shelf, [shelf]);
      await insert(
        Specimen,
        specimens.map((row) => ({ ...row, shelf })),
      );
      const em = database.fork();
      expect(await em.find(Specimen, { tenantId: tenant.id })).toHaveLength(specimens.length);
      await expectStatements(database, 0, () => em.flush());
    });

    it('gives every row a UUIDv7 of its own, growing in their order', async () => {
      await insert(
        Category,
        Array.from({ length: 300 }, (_, i) => ({ name: String(i).padStart(3, '0') })),
      );
      const rows = await database.fork().find(Category, { tenantId: tenant.id }, { orderBy: { id: 'asc' } });
      expect(rows.map(({ name }) => Number(name))).toEqual(rows.map((_, i) => i));
      expect(rows[0]?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    });

    it('keeps the keys it is given', async () => {
      const id = '01890000-0000-7000-8000-000000000001';
      await insert(Category, [{ id, name: 'given' }]);
      expect(await database.fork().findOneOrFail(Category, { tenantId: tenant.id })).toMatchObject({ id });
    });

    it('takes a relation as a key, with and without its tenant, as a reference and as an entity', async () => {
      await insert(Category, [{ name: 'parent' }]);
      const em = database.fork();
      const parent = await em.findOneOrFail(Category, { tenantId: tenant.id });
      const key = [tenant.id, parent.id];
      const forms = [
        parent.id,
        key,
        { tenantId: tenant.id, id: parent.id },
        parent,
        em.getReference(Category, key as never),
      ];
      await insert(
        Category,
        forms.map((form, i) => ({ name: `child ${i}`, parent: form })),
      );
      expect(await database.fork().count(Category, { tenantId: tenant.id, parent: key as never })).toBe(forms.length);
    });

    describe('the tenant', () => {
      it('comes from the context, also when the row names it', async () => {
        await insert(Category, [{ name: 'a' }, { name: 'b', tenantId: tenant.id }]);
        expect(await database.fork().count(Category, { tenantId: tenant.id })).toBe(2);
      });

      it('is never another one, as the row’s own or through a relation', async () => {
        const other = aTenant('globex');
        const foreign = { tenantId: other.id, name: 'x' };
        await expect(insert(Category, [{ name: 'fine' }, foreign])).rejects.toMatchObject({
          code: 'bulk_row_tenant_mismatch',
          index: 1,
          property: 'tenantId',
        });
        const parent = [other.id, '01890000-0000-7000-8000-000000000001'];
        await expect(insert(Category, [{ name: 'x', parent }])).rejects.toMatchObject({
          code: 'bulk_row_tenant_mismatch',
          property: 'parent',
        });
        expect(await database.fork().count(Category, { tenantId: { $in: [tenant.id, other.id] } })).toBe(0);
      });

      it('must be known before any SQL is sent', async () => {
        const em = database.fork();
        const nobody = () => runInContext({}, () => bulkInsert(em, Category, [{ name: 'x' }]));
        await expectStatements(database, 0, () => expect(nobody()).rejects.toThrow(NoTenantInContextError));
      });
    });

    describe('announces', () => {
      const plain = ({ key: _, ...change }: Row) => change;

      it('what a flush announces, for every kind of value', async () => {
        const fixed = specimens.map((row) => ({ rank: 1, ...row, touchedAt: at }));
        await flush(Specimen, fixed);
        const expected = seen.take();
        await insert(Specimen, fixed);
        const changes = seen.take();
        expect(changes.map(plain as never)).toEqual(expected.map(plain as never));
        expect(changes).toHaveLength(specimens.length);
        expect(changes[0]?.key).toEqual({ tenantId: tenant.id, id: expect.any(String) });
      });

      it('one change for both tables, naming the concrete class', async () => {
        const dates = { createdAt: at, updatedAt: at };
        const rows = [{ sku: 'b-1', name: 'Dune', price: new Money(999, 'EUR'), isbn: '1', ...dates }];
        await flush(Book, rows);
        const [expected] = seen.take();
        await insert(Book, rows);
        const [change, ...others] = seen.take();
        expect(others).toEqual([]);
        expect({ ...change, key: 0 }).toEqual({ ...expected, key: 0 });
      });

      it('the discriminator of a single-table class', async () => {
        await insert(CardPayment, [{ amount: new Money(5, 'EUR') }]);
        expect(seen.take()).toMatchObject([
          { kind: 'create', entity: 'CardPayment', new: { method: 'card', 'amount.amount': 5, lastFour: null } },
        ]);
      });

      it('what the table filled in', async () => {
        await insert(Specimen, [{ code: 'one' }, { code: 'two', rank: 2 }]);
        const ranks = seen.take().map((change) => [(change.new as Row).code, (change.new as Row).rank]);
        expect(Object.fromEntries(ranks)).toEqual({ one: 7, two: 2 });
      });

      it('nothing that was rolled back', async () => {
        const em = database.fork();
        await em.begin();
        await insert(Category, [{ name: 'x' }], em);
        await em.rollback();
        expect(seen.take()).toEqual([]);
        expect(await database.fork().count(Category, { tenantId: tenant.id })).toBe(0);
      });
    });

    describe('sources and transactions', () => {
      const many = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `c ${i}` }));
      const count = () => database.fork().count(Category, { tenantId: tenant.id });

      it('writes 10,000 class-table rows', async () => {
        const price = new Money(1, 'EUR');
        const rows = Array.from({ length: 10_000 }, (_, i) => ({ sku: `s-${i}`, name: `n ${i}`, price, isbn: `${i}` }));
        expect(await insert(Book, rows)).toEqual({ inserted: 10_000, rejected: 0 });
        const em = database.fork();
        const [sum] = await em.execute(
          'select count(*) as n, count(distinct b.isbn) as d from product p join book b on b.id = p.id and b.tenant_id = p.tenant_id where p.tenant_id = ?',
          [tenant.id],
        );
        expect(Object.values(sum as Row).map(Number)).toEqual([10_000, 10_000]);
      }, 30_000);

      it('reads an async source in batches, no further ahead than one', async () => {
        let [read, committed] = [0, 0];
        async function* source() {
          for (const row of many(250)) {
            if (read++ % 100 === 0) committed = Math.max(committed, await count());
            yield row;
          }
        }
        const result = await as(tenant, () => bulkInsert(database.fork(), Category, source(), { batchSize: 100 }));
        expect(result).toEqual({ inserted: 250, rejected: 0 });
        // When row 200 was asked for, both batches before it had been committed.
        expect(committed).toBe(200);
      });

      it('takes any iterable, and nothing at all', async () => {
        expect(await as(tenant, () => bulkInsert(database.fork(), Category, new Set(many(3))))).toMatchObject({
          inserted: 3,
        });
        expect(await insert(Category, [])).toEqual({ inserted: 0, rejected: 0 });
      });

      it('keeps earlier batches of a source that breaks, and nothing of the one it breaks in', async () => {
        function* source() {
          yield* many(150);
          throw new Error('the file ends here');
        }
        const write = as(tenant, () => bulkInsert(database.fork(), Category, source(), { batchSize: 100 }));
        await expect(write).rejects.toThrow('the file ends here');
        expect(await count()).toBe(100);
      });

      it('belongs to the transaction around it', async () => {
        const em = database.fork();
        const write = em.transactional(async (tx) => {
          await insert(Category, many(20), tx as SqlEntityManager);
          expect(await tx.count(Category, { tenantId: tenant.id })).toBe(20);
          throw new Error('changed my mind');
        });
        await expect(write).rejects.toThrow('changed my mind');
        expect(await count()).toBe(0);
      });

      it('flushes nothing of what waits in the unit of work', async () => {
        const em = database.fork();
        em.create(Category, { tenantId: tenant.id, name: 'waiting' });
        await insert(Category, many(1), em);
        expect(await count()).toBe(1);
        await em.flush();
        expect(await count()).toBe(2);
      });
    });

    it('refuses what has no table, before any SQL', async () => {
      await expectStatements(database, 0, () =>
        expect(insert(ShelfCount, [{ n: 1 }])).rejects.toThrow(BulkUnsupportedError),
      );
    });

    it('leaves keys to a database that makes them, and then cannot announce the rows', async () => {
      await expect(insert(Ledger, [{ name: 'Cash' }])).rejects.toThrow(BulkUnsupportedError);
      const id = 1 + (await database.fork().count(Ledger));
      await insert(Ledger, [{ id, name: 'Cash' }]);
      expect(seen.take()).toMatchObject([{ entity: 'Ledger', key: { id }, new: { name: 'Cash', balance: 0 } }]);
    });
  });
});
