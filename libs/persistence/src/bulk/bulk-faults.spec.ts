import { beforeEach, describe, expect, it } from '@jest/globals';
import { DeadlockException, type EntityClass } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import type { ContextTenant } from '#libs/context';
import { Money } from '#libs/persistence';
import {
  aDatabase,
  aTenant,
  Book,
  Category,
  eachEngine,
  expectStatements,
  Product,
  shopModel,
  Tag,
} from '#libs/testing';
import type { BulkRowError } from '../errors/bulk-row.error.js';
import { BulkWriteLostError } from '../errors/bulk-write-lost.error.js';
import { RowConstraintError } from '../errors/row-constraint.error.js';
import { RecordingSubscriber } from '../events/change-events.fixture.js';
import { ChangeEventsSubscriber } from '../events/change-events.subscriber.js';
import type { ChangeSubscriber } from '../events/change-subscriber.js';
import type { TransactionScope } from '../events/transaction-scope.js';
import { as, bulkModel, errorOf, Specimen, Ticket } from './bulk.fixture.js';
import type { BulkOptions } from './bulk.options.js';
import { bulkInsert } from './bulk-insert.js';
import { bulkUpdate } from './bulk-update.js';
import { bulkUpsert } from './bulk-upsert.js';

type Row = Record<string, unknown>;

function failOn(error: unknown): never {
  throw error;
}

const NOBODY = '01890000-0000-7000-8000-0000000000ff';

/** Breaks the next commits with what is put into it. */
class BreakingSubscriber implements ChangeSubscriber {
  readonly errors: Error[] = [];

  beforeCommit(_changes: unknown, scope: TransactionScope): void {
    const error = scope.parent ? undefined : this.errors.pop();
    if (error) throw error;
  }
}

describe('bulk writes and bad input', () => {
  eachEngine((engine) => {
    const seen = new RecordingSubscriber();
    const breaking = new BreakingSubscriber();
    const database = aDatabase(engine, [...shopModel, ...bulkModel], {
      subscribers: [new ChangeEventsSubscriber({ subscribers: [breaking, seen], onError: failOn })],
    });
    let tenant: ContextTenant;
    beforeEach(() => {
      tenant = aTenant();
      seen.take();
    });

    const aBook = (i: number, rest: Row = {}): Row => ({
      sku: `s-${i}`,
      name: `n ${i}`,
      price: new Money(i, 'EUR'),
      isbn: `${i}`,
      ...rest,
    });
    const insert = <T extends object>(
      entity: EntityClass<T>,
      rows: object[],
      options?: BulkOptions,
      em?: SqlEntityManager,
    ) => as(tenant, () => bulkInsert(em ?? database.fork(), entity, rows as never, options));
    const count = <T extends object>(entity: EntityClass<T>) =>
      database.fork().count(entity, { tenantId: tenant.id } as never);
    const countRows = async (table: string) => {
      const [row] = await database
        .fork()
        .execute(`select count(*) as n from ${table} where tenant_id = ?`, [tenant.id]);
      return Number(row.n);
    };

    /** 40 good rows with one bad one among them. */
    const oneBad = (bad: Row, at = 23) => Array.from({ length: 40 }, (_, i) => aBook(i, i === at ? bad : {}));

    describe('a row that the database refuses', () => {
      const cases: [string, Row, string][] = [
        ['a unique value that another row of the batch has', { sku: 's-3' }, 'unique'],
        ['a foreign key to nothing', { category: NOBODY }, 'foreign_key'],
      ];
      // SQLite knows no lengths: it keeps the whole value.
      if (engine.name !== 'sqlite') {
        cases.push(['a value too long for the root’s table', { name: 'x'.repeat(201) }, 'value']);
        cases.push(['a value too long for the child’s table', { isbn: 'x'.repeat(21) }, 'value']);
        cases.push(['a number out of range', { stock: 2 ** 31 }, 'value']);
      }
      if (engine.name === 'postgresql') cases.push(['a NUL in text', { name: 'a\0b' }, 'value']);

      it.each(cases)('is named, and nothing of its batch remains: %s', async (_, bad, constraint) => {
        const error = await errorOf(insert(Book, oneBad(bad)));
        expect(error).toBeInstanceOf(RowConstraintError);
        expect(error).toMatchObject({
          code: 'bulk_row_refused',
          constraint,
          index: 23,
          key: { sku: bad.sku ?? 's-23' },
          entity: 'Book',
        });
        expect((error as Error).cause).toBeInstanceOf(Error);
        expect(await countRows('product')).toBe(0);
        expect(await countRows('book')).toBe(0);
        expect(seen.take()).toEqual([]);
      });

      it.each(cases)('leaves the others alone when rejections are asked for: %s', async (_, bad) => {
        const rejected: [number, string][] = [];
        const onRejected = (index: number, { code }: BulkRowError) => rejected.push([index, code]);
        expect(await insert(Book, oneBad(bad), { onRejected })).toEqual({ inserted: 39, rejected: 1 });
        expect(rejected).toEqual([[23, 'bulk_row_refused']]);
        expect(await countRows('product')).toBe(39);
        expect(await countRows('book')).toBe(39);
        expect(seen.take()).toHaveLength(39);
      });

      it('is named in an upsert and in an update', async () => {
        await insert(Book, [aBook(1), aBook(2)]);
        const upsert = as(tenant, () =>
          bulkUpsert(
            database.fork(),
            Book,
            [aBook(1, { name: 'new' }), aBook(2, { category: NOBODY }), aBook(3)] as never,
            {
              by: ['sku'],
            },
          ),
        );
        await expect(upsert).rejects.toMatchObject({ constraint: 'foreign_key', index: 1, key: { sku: 's-2' } });
        const rows = [
          { sku: 's-1', name: 'new' },
          { sku: 's-2', category: NOBODY },
        ];
        const update = as(tenant, () => bulkUpdate(database.fork(), Book, rows as never, { by: ['sku'] }));
        await expect(update).rejects.toMatchObject({ constraint: 'foreign_key', index: 1 });
        expect(await database.fork().count(Book, { tenantId: tenant.id, version: 1 })).toBe(2);
        expect(await count(Book)).toBe(2);
      });

      it('is found in a later batch of a stream, whose earlier batches stay', async () => {
        function* source() {
          yield* oneBad({ sku: 's-3' }, 33);
        }
        const write = as(tenant, () => bulkInsert(database.fork(), Book, source() as never, { batchSize: 10 }));
        await expect(write).rejects.toMatchObject({ index: 33, constraint: 'unique' });
        expect(await countRows('product')).toBe(30);
      });

      it('leaves the transaction around it usable, and nothing of its batch in it', async () => {
        const em = database.fork();
        await em.transactional(async (tx) => {
          await insert(Tag, [{ name: 'before' }], {}, tx as SqlEntityManager);
          await errorOf(insert(Book, oneBad({ category: NOBODY }), {}, tx as SqlEntityManager));
          await insert(Tag, [{ name: 'after' }], {}, tx as SqlEntityManager);
        });
        expect(await count(Tag)).toBe(2);
        expect(await countRows('product')).toBe(0);
        expect(seen.take().map(({ entity }) => entity)).toEqual(['Tag', 'Tag']);
      });

      it('may come many times', async () => {
        const rows = Array.from({ length: 300 }, (_, i) => aBook(i, i % 3 === 0 ? { category: NOBODY } : {}));
        const rejected: number[] = [];
        const result = await insert(Book, rows, { onRejected: (index) => rejected.push(index) });
        expect(result).toEqual({ inserted: 200, rejected: 100 });
        expect(rejected).toEqual(rows.flatMap((_, i) => (i % 3 === 0 ? [i] : [])));
        expect(await countRows('book')).toBe(200);
      }, 30_000);
    });

    describe('a row that never reaches the database', () => {
      const invalid: [string, Row, string][] = [
        ['a string where a number belongs', { code: 'x', legs: '4' }, 'legs'],
        ['a fraction where a whole number belongs', { code: 'x', legs: 1.5 }, 'legs'],
        ['a number that has lost digits', { code: 'x', size: 2 ** 53 }, 'size'],
        ['a whole number of more than 64 bits', { code: 'x', big: 2n ** 63n }, 'big'],
        ['what is no whole number', { code: 'x', big: '1e3' }, 'big'],
        ['what is no decimal', { code: 'x', weight: '1,5' }, 'weight'],
        ['infinity', { code: 'x', ratio: Number.POSITIVE_INFINITY }, 'ratio'],
        ['no number', { code: 'x', ratio: Number.NaN }, 'ratio'],
        ['an invalid date', { code: 'x', seenAt: new Date('never') }, 'seenAt'],
        ['a text where a date belongs', { code: 'x', seenAt: '2026-01-01' }, 'seenAt'],
        ['a word that is no member of the enum', { code: 'x', mood: 'sad' }, 'mood'],
        ['an operator smuggled in', { code: { $ne: null } }, 'code'],
        ['a number where a string belongs', { code: 5 }, 'code'],
        ['what JSON cannot hold', { code: 'x', data: () => 1 }, 'data'],
        ['no value where one is required', {}, 'code'],
        ['null where a value is required', { code: 'x', isAlive: null }, 'isAlive'],
        ['half of an embedded value', { code: 'x', value: { currency: 5 } }, 'value.currency'],
        ['a misspelt property', { code: 'x', nmae: 'y' }, 'nmae'],
        ['a relation without a key', { code: 'x', shelf: {} }, 'shelf'],
      ];

      it.each(invalid)('is named, before any SQL: %s', async (_, bad, property) => {
        const rows = [{ code: 'good' }, bad];
        await expect(insert(Specimen, rows)).rejects.toMatchObject({ code: 'bulk_row_invalid', index: 1, property });
        expect(await count(Specimen)).toBe(0);
        const rejected: number[] = [];
        expect(await insert(Specimen, rows, { onRejected: (index) => rejected.push(index) })).toEqual({
          inserted: 1,
          rejected: 1,
        });
        expect(rejected).toEqual([1]);
      });

      it('is refused by its constructor', async () => {
        const rows = [{ subject: 'fine' }, { subject: 'nothing' }];
        await expect(insert(Ticket, rows)).rejects.toMatchObject({
          code: 'bulk_row_invalid',
          index: 1,
          cause: new RangeError('a ticket is about something'),
        });
        const rejected: number[] = [];
        await insert(Ticket, rows, { onRejected: (index) => rejected.push(index) });
        expect([rejected, await count(Ticket)]).toEqual([[1], 1]);
      });

      it('is no object at all', async () => {
        for (const bad of [null, undefined, 'text', 5]) {
          await expect(insert(Tag, [{ name: 'x' }, bad as never])).rejects.toMatchObject({
            index: 1,
            code: 'bulk_row_invalid',
          });
        }
        expect(await count(Tag)).toBe(0);
      });

      it('is told of once, in the order of the rows, with those the database refuses', async () => {
        const rows = [aBook(0, { stock: 'x' }), aBook(1), aBook(2, { category: NOBODY }), aBook(3), aBook(4, { x: 1 })];
        const rejected: [number, string][] = [];
        await insert(Book, rows, { onRejected: (index, { code }) => rejected.push([index, code]) });
        expect(rejected).toEqual([
          [0, 'bulk_row_invalid'],
          [2, 'bulk_row_refused'],
          [4, 'bulk_row_invalid'],
        ]);
        expect(await count(Product)).toBe(2);
      });
    });

    describe('values come back as they were', () => {
      const texts = [
        `quotes ' '' " "" \` and \\ \\\\ \\' \\0`,
        'emoji 😀👩‍👩‍👧 and combining é ñ',
        'control \t \n \r \b \u001a \u2028 \ufeff end',
        "'; drop table product; --",
        '$1 ?? :name %s {"a":1} \\N NULL null',
        ' spaces around ',
        '',
      ];

      it('text of every kind, through all writes', async () => {
        const rows = texts.map((note, i) => ({
          code: `t${i}`,
          note,
          data: { note },
          labels: [note],
          secret: note,
        }));
        await insert(Specimen, rows);
        await as(tenant, () =>
          bulkUpsert(database.fork(), Specimen, rows.map((row) => ({ ...row, note: `!${row.note}` })) as never, {
            by: ['code'],
          }),
        );
        const found = await database.fork().find(Specimen, { tenantId: tenant.id }, { orderBy: { code: 'asc' } });
        expect(found.map(({ note, data, labels, secret }) => ({ note, data, labels, secret }))).toEqual(
          rows.map(({ note, data, labels, secret }) => ({ note: `!${note}`, data, labels, secret })),
        );
      });

      if (engine.name !== 'postgresql') {
        it('text with a NUL in it', async () => {
          await insert(Specimen, [{ code: 'nul', note: 'a\0b' }]);
          const em = database.fork();
          expect(await em.findOneOrFail(Specimen, { tenantId: tenant.id, code: 'nul' })).toMatchObject({
            note: 'a\0b',
          });
        });
      }

      it('2^53 + 1, and the ends of 64 bits', async () => {
        const values = [2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n), 0n];
        await insert(
          Specimen,
          values.map((big, i) => ({ code: `b${i}`, big })),
        );
        const cast = { mysql: 'char', mariadb: 'char', sqlite: 'text', postgresql: 'text' }[engine.name];
        const rows = await database
          .fork()
          .execute(`select cast(big as ${cast}) as big from specimen where tenant_id = ? order by code`, [tenant.id]);
        expect(rows.map(({ big }: Row) => BigInt(big as string))).toEqual(values);
      });

      it('more text than a server takes in one packet', async () => {
        const rows = Array.from({ length: 600 }, (_, i) => ({ code: `l${i}`, note: String(i).padEnd(30_000, 'é') }));
        await insert(Specimen, rows);
        const result = await as(tenant, () =>
          bulkUpsert(database.fork(), Specimen, rows.map((row, i) => (i % 2 ? row : { ...row, legs: 8 })) as never, {
            by: ['code'],
          }),
        );
        expect(result).toMatchObject({ updated: 300, unchanged: 300 });
      }, 60_000);

      it('many columns and more rows than a statement takes', async () => {
        const rows = Array.from({ length: 2500 }, (_, i) => ({ code: `m${i}`, legs: i }));
        await insert(Specimen, rows);
        const [row] = await database
          .fork()
          .execute('select sum(legs) as legs from specimen where tenant_id = ?', [tenant.id]);
        expect(Number(row.legs)).toBe((2499 * 2500) / 2);
      }, 30_000);
    });

    if (engine.name === 'sqlite') {
      it('notices that an update does not arrive', async () => {
        await insert(Category, [{ name: 'x' }]);
        const em = database.fork();
        await em.execute('create trigger swallow before update on category begin select raise(ignore); end');
        try {
          const update = as(tenant, () => bulkUpdate(database.fork(), Category, { where: {}, set: { name: 'y' } }));
          await expect(update).rejects.toThrow(BulkWriteLostError);
        } finally {
          await em.execute('drop trigger swallow');
        }
      });
    }

    describe('a deadlock', () => {
      const deadlock = () => new DeadlockException(new Error('somebody else was first'));

      it('is nobody’s fault: the batch is written again', async () => {
        breaking.errors.push(deadlock(), deadlock());
        expect(await insert(Tag, [{ name: 'a' }, { name: 'b' }])).toMatchObject({ inserted: 2 });
        expect(breaking.errors).toEqual([]);
        expect(await count(Tag)).toBe(2);
        expect(seen.take()).toHaveLength(2);
      });

      it('is told of when it does not end', async () => {
        breaking.errors.push(...Array.from({ length: 9 }, deadlock));
        await expect(insert(Tag, [{ name: 'a' }])).rejects.toThrow(DeadlockException);
        expect(breaking.errors.splice(0)).toHaveLength(5);
        expect(await count(Tag)).toBe(0);
      });

      it('is the caller’s to repeat in the caller’s transaction', async () => {
        const em = database.fork();
        await em.begin();
        let attempts = 0;
        em.transactional = async () => {
          attempts++;
          throw deadlock();
        };
        await expect(insert(Tag, [{ name: 'a' }], {}, em)).rejects.toThrow(DeadlockException);
        await em.rollback();
        expect(attempts).toBe(1);
      });
    });

    it('sends nothing for no rows', async () => {
      await expectStatements(database, 0, async () => {
        await insert(Book, []);
        await as(tenant, () => bulkUpsert(database.fork(), Book, [], { by: ['sku'] }));
      });
    });
  });
});
