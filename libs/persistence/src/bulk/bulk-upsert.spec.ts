import { beforeEach, describe, expect, it } from '@jest/globals';
import type { EntityClass } from '@mikro-orm/core';
import type { ContextTenant } from '#libs/context';
import { Money } from '#libs/persistence';
import {
  aDatabase,
  aTenant,
  Book,
  CardPayment,
  Category,
  Electronic,
  eachEngine,
  expectStatements,
  Product,
  shopModel,
  Tag,
  WalletPayment,
} from '#libs/testing';
import { BulkKeyError } from '../errors/bulk-key.error.js';
import type { BulkRowError } from '../errors/bulk-row.error.js';
import { RecordingSubscriber } from '../events/change-events.fixture.js';
import { ChangeEventsSubscriber } from '../events/change-events.subscriber.js';
import { as, bulkModel, Dog, Place, Puppy, Specimen } from './bulk.fixture.js';
import type { BulkUpsertOptions } from './bulk.options.js';
import { bulkUpsert } from './bulk-upsert.js';

type Row = Record<string, unknown>;

function failOn(error: unknown): never {
  throw error;
}

describe('bulkUpsert', () => {
  eachEngine((engine) => {
    const seen = new RecordingSubscriber();
    const database = aDatabase(engine, [...shopModel, ...bulkModel], {
      subscribers: [new ChangeEventsSubscriber({ subscribers: [seen], onError: failOn })],
    });
    let tenant: ContextTenant;
    beforeEach(() => {
      tenant = aTenant();
      seen.take();
    });

    const price = (amount = 100) => new Money(amount, 'EUR');
    const aBook = (sku: string, rest: Row = {}): Row => ({
      sku,
      name: `Book ${sku}`,
      price: price(),
      isbn: `i-${sku}`,
      ...rest,
    });

    function upsert<T extends object>(
      entity: EntityClass<T>,
      rows: object[],
      by: string[],
      options: Omit<BulkUpsertOptions<T>, 'by'> = {},
    ) {
      return as(tenant, () => bulkUpsert(database.fork(), entity, rows as never, { ...options, by: by as never }));
    }

    const books = (...rows: Row[]) => upsert(Book, rows, ['sku']);
    const findBook = (sku: string) => database.fork().findOneOrFail(Book, { tenantId: tenant.id, sku });

    it('inserts what is new, updates what differs and leaves the rest alone', async () => {
      expect(await books(aBook('a'), aBook('b'))).toEqual({ inserted: 2, updated: 0, unchanged: 0, rejected: 0 });
      const result = await books(aBook('a'), aBook('b', { name: 'Other', isbn: 'other' }), aBook('c'));
      expect(result).toEqual({ inserted: 1, updated: 1, unchanged: 1, rejected: 0 });
      expect(await findBook('b')).toMatchObject({ name: 'Other', isbn: 'other', version: 2 });
      expect(await findBook('a')).toMatchObject({ name: 'Book a', version: 1 });
      expect(await database.fork().count(Book, { tenantId: tenant.id })).toBe(3);
    });

    it('announces exact old and new values, and nothing for what is unchanged', async () => {
      await books(aBook('a'), aBook('b', { labels: ['x'], attributes: { n: 1 } }));
      const before = await findBook('b');
      seen.take();
      await books(aBook('a'), aBook('b', { labels: ['x'], attributes: { n: 2 }, price: price(250), isbn: 'new' }));
      const after = await findBook('b');
      expect(seen.take()).toEqual([
        {
          kind: 'update',
          entity: 'Book',
          key: { tenantId: tenant.id, id: before.id },
          old: { 'price.amount': 100, attributes: { n: 1 }, version: 1, updatedAt: before.updatedAt, isbn: 'i-b' },
          new: { 'price.amount': 250, attributes: { n: 2 }, version: 2, updatedAt: after.updatedAt, isbn: 'new' },
        },
      ]);
      expect(after.updatedAt.getTime()).toBeGreaterThan(before.updatedAt.getTime());
    });

    it('announces an update like a flush does', async () => {
      await books(aBook('a', { attributes: { n: 1 } }));
      const em = database.fork();
      const book = await em.findOneOrFail(Book, { tenantId: tenant.id, sku: 'a' });
      seen.take();
      Object.assign(book, { attributes: { n: 2 }, isbn: 'flushed' });
      await em.flush();
      const [flushed] = seen.take();
      await books(aBook('a', { attributes: { n: 3 }, isbn: 'bulk' }));
      const [bulk] = seen.take();
      const shape = (change: unknown) =>
        Object.fromEntries(['old', 'new'].map((side) => [side, Object.keys((change as Row)[side] as Row).sort()]));
      expect(shape(bulk)).toEqual(shape(flushed));
      expect(bulk).toMatchObject({ kind: flushed?.kind, entity: flushed?.entity, key: flushed?.key });
    });

    it('raises the version of the root when only the child’s table changes, and touches no other table', async () => {
      await books(aBook('a'));
      const statements = await database.statementsOf(() => books(aBook('a', { isbn: 'changed' })));
      expect(await findBook('a')).toMatchObject({ isbn: 'changed', version: 2 });
      expect(statements.filter((sql) => /^(update|insert)/.test(sql))).toHaveLength(2);
      await upsert(Tag, [{ name: 'x' }], ['name']);
      expect(await database.statementsOf(() => upsert(Tag, [{ name: 'x' }], ['name']))).toHaveLength(1);
    });

    it('changes only what a row mentions', async () => {
      await books(aBook('a', { stock: 7, labels: ['x'] }));
      await books({ sku: 'a', name: 'Renamed' });
      expect(await findBook('a')).toMatchObject({ name: 'Renamed', stock: 7, labels: ['x'], isbn: 'i-a' });
      await books({ sku: 'a', labels: null });
      expect((await findBook('a')).labels).toBeNull();
    });

    it('sees no change in values that are the same in another form', async () => {
      const rows: Row[] = [
        {
          code: 'all',
          big: 9_007_199_254_740_993n,
          size: 2 ** 53 - 1,
          weight: '1.5',
          ratio: 1 / 3,
          foundOn: '2026-02-03',
          seenAt: new Date('2026-02-03T04:05:06.789Z'),
          // Whole seconds are all that some engines keep.
          fedAt: new Date('2026-02-03T04:05:06.789Z'),
          data: { b: 1, a: [{ d: 1, c: 'ü' }] },
          picture: Buffer.from([0, 255]),
          names: ['a,b', 'c"d'],
          labels: ['x'],
          mood: 'calm',
          secret: 'hidden',
          value: price(5),
          home: Object.assign(new Place(), { city: 'Köln', zip: '50667' }),
          trips: [Object.assign(new Place(), { city: 'Ulm' })],
          note: 'trailing ',
        },
        { code: 'none' },
        { code: 'text', data: 'text', names: [] },
      ];
      await upsert(Specimen, rows, ['code']);
      const again = rows.map((row) => ({
        ...row,
        ...(row.code === 'all' && { data: { a: [{ c: 'ü', d: 1 }], b: 1 }, weight: '1.50' }),
      }));
      seen.take();
      expect(await upsert(Specimen, again, ['code'])).toEqual({ inserted: 0, updated: 0, unchanged: 3, rejected: 0 });
      expect(seen.take()).toEqual([]);
    });

    it('sees every change, also the smallest', async () => {
      const first: Row = {
        code: 'x',
        big: 9_007_199_254_740_993n,
        weight: '1.50',
        ratio: 0.1,
        isAlive: true,
        seenAt: new Date(5),
        note: 'a',
        data: { a: null },
        picture: Buffer.from([1]),
        secret: 'a',
        value: price(),
        home: { city: 'Ulm' },
      };
      const second: Row = {
        big: 9_007_199_254_740_994n,
        weight: '1.51',
        ratio: 0.1 + 2 ** -50,
        isAlive: false,
        seenAt: new Date(6),
        note: 'A',
        data: {},
        picture: Buffer.from([1, 0]),
        secret: 'b',
        value: null,
        home: { city: 'Ulm', zip: '1' },
      };
      await upsert(Specimen, [first], ['code']);
      for (const [name, value] of Object.entries(second)) {
        seen.take();
        expect(await upsert(Specimen, [{ code: 'x', [name]: value }], ['code'])).toMatchObject({ updated: 1 });
        const [change] = seen.take();
        const properties = Object.keys(change?.new as Row).filter((property) => property !== 'touchedAt');
        expect([name, ...properties.map((property) => property.split('.')[0])]).toEqual(
          name === 'value' ? [name, name, name] : [name, name],
        );
      }
      const em = database.fork();
      const specimen = await em.findOneOrFail(Specimen, { tenantId: tenant.id, code: 'x' });
      expect(specimen).toMatchObject({ weight: '1.51', isAlive: false, note: 'A', data: {}, secret: 'b', value: null });
      await expectStatements(database, 0, () => em.flush());
    });

    it('works by the primary key and by a column of the child’s table', async () => {
      const puppy = (weeks: number, id = 10) => ({ id, name: 'Rex', tag: 't-10', fee: price(), weeks });
      await upsert(Puppy, [puppy(8)], ['id']);
      expect(await upsert(Puppy, [puppy(9)], ['id'])).toMatchObject({ inserted: 0, updated: 1 });
      expect(await upsert(Puppy, [puppy(10)], ['tag'])).toMatchObject({ inserted: 0, updated: 1 });
      expect(await database.fork().findOneOrFail(Puppy, 10)).toMatchObject({ weeks: 10, tag: 't-10' });
    });

    it('works on a single-table class', async () => {
      const id = '01890000-0000-7000-8000-000000000001';
      await upsert(CardPayment, [{ id, amount: price(1), lastFour: '1111' }], ['id']);
      expect(await upsert(CardPayment, [{ id, amount: price(2) }], ['id'])).toMatchObject({ updated: 1 });
      expect(await database.fork().findOneOrFail(CardPayment, { tenantId: tenant.id, id })).toMatchObject({
        amount: { amount: 2 },
        lastFour: '1111',
      });
    });

    it('updates many rows in few statements', async () => {
      const rows = Array.from({ length: 1500 }, (_, i) => aBook(`s${i}`));
      await books(...rows);
      const changed = rows.map((row, i) => (i % 3 === 0 ? row : { ...row, name: `n ${i}`, isbn: `j ${i}` }));
      let result: unknown;
      const statements = await database.statementsOf(async () => {
        result = await books(...changed);
      });
      expect(result).toEqual({ inserted: 0, updated: 1000, unchanged: 500, rejected: 0 });
      expect(statements.length).toBeLessThan(30);
      expect(await findBook('s1499')).toMatchObject({ name: 'n 1499', isbn: 'j 1499', version: 2 });
      expect(await findBook('s1497')).toMatchObject({ name: 'Book s1497', version: 1 });
    }, 30_000);

    it('keeps to its tenant', async () => {
      const acme = tenant;
      await books(aBook('same', { name: 'acme' }));
      tenant = aTenant('globex');
      expect(await books(aBook('same', { name: 'globex' }))).toMatchObject({ inserted: 1, updated: 0 });
      tenant = acme;
      expect(await findBook('same')).toMatchObject({ name: 'acme', version: 1 });
    });

    describe('rows with the same key', () => {
      it('are applied in their order, whatever the batches', async () => {
        const rows = [
          aBook('a'),
          { sku: 'a', name: 'second' },
          aBook('b'),
          { sku: 'a', stock: 3 },
          { sku: 'b', name: 'last' },
        ];
        expect(await upsert(Book, rows, ['sku'])).toEqual({ inserted: 2, updated: 3, unchanged: 0, rejected: 0 });
        expect(await findBook('a')).toMatchObject({ name: 'second', stock: 3, version: 3 });
        const first = seen.take().map(({ kind, new: values }) => [kind, (values as Row).name ?? (values as Row).stock]);
        tenant = aTenant();
        await upsert(Book, rows, ['sku'], { batchSize: 1 });
        const second = seen
          .take()
          .map(({ kind, new: values }) => [kind, (values as Row).name ?? (values as Row).stock]);
        expect(second.sort()).toEqual(first.sort());
        expect(await findBook('a')).toMatchObject({ name: 'second', stock: 3, version: 3 });
      });
    });

    if (engine.name === 'mariadb' || engine.name === 'mysql') {
      it('finds the row that a collation of somebody else holds to be the same', async () => {
        const collate = (collation: string) =>
          database
            .fork()
            .execute(`alter table tag modify name varchar(60) character set utf8mb4 collate ${collation} not null`);
        await collate('utf8mb4_general_ci');
        await upsert(Tag, [{ name: 'Straße' }, { name: 'abc' }], ['name']);
        const result = await upsert(Tag, [{ name: 'ABC' }, { name: 'new' }, { name: 'Abc' }], ['name']);
        expect(result).toEqual({ inserted: 1, updated: 2, unchanged: 0, rejected: 0 });
        const tags = await database.fork().find(Tag, { tenantId: tenant.id });
        expect(tags.map(({ name }) => name).sort()).toEqual(['Abc', 'Straße', 'new']);
        await collate('utf8mb4_bin');
      });
    }

    it('keeps apart what differs in case, or in one emoji, on every engine', async () => {
      const names = ['abc', 'ABC', 'x🐴', 'x🦄'];
      const result = await upsert(
        Tag,
        names.map((name) => ({ name })),
        ['name'],
      );
      expect(result).toEqual({ inserted: 4, updated: 0, unchanged: 0, rejected: 0 });
      for (const name of names) expect(await database.fork().count(Tag, { tenantId: tenant.id, name })).toBe(1);
    });

    describe('rejects', () => {
      const rejections: [number, BulkRowError][] = [];
      const onRejected = (index: number, error: BulkRowError) => rejections.push([index, error]);
      beforeEach(() => {
        rejections.length = 0;
      });
      const codes = () => rejections.map(([index, { code }]) => [index, code]);

      it('a row whose existing row is of another class, and names that class', async () => {
        await upsert(Electronic, [{ sku: 'radio', name: 'Radio', price: price(), warrantyMonths: 24 }], ['sku']);
        const rows = [aBook('a'), aBook('radio'), aBook('b')];
        await expect(upsert(Book, rows, ['sku'])).rejects.toMatchObject({
          code: 'bulk_row_class_mismatch',
          index: 1,
          key: { sku: 'radio' },
          actual: 'Electronic',
        });
        expect(await database.fork().count(Book, { tenantId: tenant.id })).toBe(0);
        expect(await upsert(Book, rows, ['sku'], { onRejected })).toEqual({
          inserted: 2,
          updated: 0,
          unchanged: 0,
          rejected: 1,
        });
        expect(codes()).toEqual([[1, 'bulk_row_class_mismatch']]);
        const id = '01890000-0000-7000-8000-000000000002';
        await upsert(WalletPayment, [{ id, amount: price() }], ['id']);
        await expect(upsert(CardPayment, [{ id, amount: price() }], ['id'])).rejects.toMatchObject({
          actual: 'WalletPayment',
        });
      });

      it('a parent class for a row of its child, and the other way round', async () => {
        await upsert(Puppy, [{ id: 20, name: 'Rex', tag: 't-20', fee: price(), weeks: 8 }], ['id']);
        await upsert(Dog, [{ id: 21, name: 'Max', tag: 't-21', fee: price() }], ['id']);
        await expect(upsert(Dog, [{ id: 20, name: 'x' }], ['id'])).rejects.toMatchObject({ actual: 'Puppy' });
        await expect(upsert(Puppy, [{ id: 21, name: 'x' }], ['id'])).rejects.toMatchObject({ actual: 'Dog' });
      });

      it('a row without its key, with another primary key, and with a stale version', async () => {
        await books(aBook('a'), aBook('b'));
        const rows = [
          { name: 'keyless' },
          { sku: 'a', id: '01890000-0000-7000-8000-000000000003' },
          { sku: 'b', version: 7, name: 'stale' },
          { sku: 'b', version: 1, name: 'fresh' },
          { sku: null, name: 'null' },
        ];
        expect(await upsert(Book, rows, ['sku'], { onRejected })).toMatchObject({ updated: 1, rejected: 4 });
        expect(codes()).toEqual([
          [0, 'bulk_row_invalid'],
          [1, 'bulk_row_invalid'],
          [2, 'bulk_row_version_conflict'],
          [4, 'bulk_row_invalid'],
        ]);
        expect(await findBook('b')).toMatchObject({ name: 'fresh', version: 2 });
      });

      it('what is not unique as a key, before any SQL', async () => {
        await expectStatements(database, 0, async () => {
          await expect(upsert(Book, [aBook('a')], ['name'])).rejects.toThrow(BulkKeyError);
          await expect(upsert(Book, [aBook('a')], [])).rejects.toThrow(BulkKeyError);
          await expect(upsert(Book, [aBook('a')], ['nothing'])).rejects.toThrow(BulkKeyError);
        });
      });
    });

    it('lets two writers of the same new rows both succeed', async () => {
      const rows = Array.from({ length: 200 }, (_, i) => ({ name: `t${i}` }));
      const results = await Promise.all([upsert(Tag, rows, ['name']), upsert(Tag, rows.toReversed(), ['name'])]);
      expect(results.reduce((sum, { inserted }) => sum + inserted, 0)).toBe(200);
      expect(await database.fork().count(Tag, { tenantId: tenant.id })).toBe(200);
      expect(await database.fork().count(Category, { tenantId: tenant.id })).toBe(0);
    }, 30_000);

    it('lets all writers of one new row succeed', async () => {
      for (let round = 0; round < 10; round++) {
        const name = `round ${round}`;
        const results = await Promise.all([1, 2, 3, 4].map(() => upsert(Tag, [{ name }], ['name'])));
        expect(results.map(({ inserted }) => inserted).toSorted()).toEqual([0, 0, 0, 1]);
      }
    }, 30_000);

    it('never takes over a row through another unique column', async () => {
      const rows = [
        { id: 30, name: 'a', tag: 't-30', fee: price() },
        { id: 31, name: 'b', tag: 't-31', fee: price() },
      ];
      await upsert(Dog, rows, ['id']);
      await expect(upsert(Dog, [{ id: 31, tag: 't-30' }], ['id'])).rejects.toMatchObject({
        code: 'bulk_row_refused',
        constraint: 'unique',
        index: 0,
      });
      const em = database.fork();
      expect(await em.find(Dog, { id: { $in: [30, 31] } }, { orderBy: { id: 'asc' } })).toMatchObject(rows);
      expect(await em.count(Product, { tenantId: tenant.id })).toBe(0);
    });
  });
});
