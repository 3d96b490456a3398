import { describe, expect, it } from '@jest/globals';
import { aDatabase, aTenant, eachEngine, expectStatements } from '#libs/testing';
import { as as asTenant } from '../bulk/bulk.fixture.js';
import { bulkInsert, Money, newId, streamRows } from '../index.js';
import { Sample } from './column-types.fixture.js';

type Column = Exclude<keyof Sample, 'id' | 'tenantId' | 'version' | symbol>;

const VALUES: readonly [Column, string, unknown][] = [
  ['big', 'beyond what a number holds', 9_007_199_254_740_993n],
  ['big', 'the largest of 64 bits', 2n ** 63n - 1n],
  ['big', 'the smallest of 64 bits', -(2n ** 63n)],
  ['big', 'nought', 0n],
  ['decimal', 'more digits than a number holds', '123456789012345678901234.567891'],
  ['decimal', 'a value that no binary fraction is', '0.100000'],
  ['decimal', 'a negative one', '-12.340000'],
  ['json', 'keys in an order of their own', { z: 1, a: { y: [1, null, '手机 📱'], b: true } }],
  ['json', 'a text that looks like JSON', '{"a":1}'],
  ['json', 'a bare number', 1.5],
  ['json', 'a list', []],
  ['instant', 'the hour that a change of clocks leaves out, with ms', new Date('2026-03-29T02:30:00.123Z')],
  ['instant', 'a time long ago', new Date('1000-01-01T00:00:00.001Z')],
  ['instant', 'the last ms of four digits', new Date('9999-12-31T23:59:59.999Z')],
  ['day', 'a leap day', '2028-02-29'],
  ['price', 'the most that is safe', new Money(Number.MAX_SAFE_INTEGER, 'EUR')],
  ['price', 'a debt', new Money(-1, 'JPY')],
  ['short', 'as long as may be, of characters beyond 16 bits', '📱'.repeat(10)],
  ['short', 'nothing, which is not null', ''],
  ['short', 'spaces at its ends', '  a  '],
  ['short', 'what breaks SQL', `'";\\--\n`],
  ['colour', 'one of its words', 'green'],
  ['count', 'the largest', 2_147_483_647],
  ['ratio', 'the smallest step above one', 1 + Number.EPSILON],
  ['ratio', 'a tiny one', 2.225e-300],
  ['flag', 'false, which is not null', false],
  ['bytes', 'every byte', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
];
const COLUMNS = [...new Set(VALUES.map(([column]) => column))];

describe('a column type', () => {
  eachEngine((engine) => {
    const database = aDatabase(engine, [Sample]);
    const tenant = aTenant();
    const { id: tenantId } = tenant;
    const load = (id: string) => database.fork().findOneOrFail(Sample, { tenantId, id });

    it.each(VALUES)('%s keeps %s, however it is written and read', (column, _, value) =>
      asTenant(tenant, async () => {
        const em = database.fork();
        const { id } = em.create(Sample, { [column]: value } as never);
        await em.flush();
        expect((await load(id))[column]).toEqual(value);
        const bulk = newId();
        await bulkInsert(database.fork(), Sample, [{ id: bulk, [column]: value } as never]);
        expect((await load(bulk))[column]).toEqual(value);
        const { value: row } = await streamRows(database.fork(), Sample, { where: { id: bulk } }).next();
        const plain = value instanceof Money ? { ...value } : value;
        expect(row?.[column as never]).toEqual(plain);
      }),
    );

    it.each(VALUES)('%s sees no change in %s that is read, or assigned again', (column, _, value) =>
      asTenant(tenant, async () => {
        const em = database.fork();
        const { id } = em.create(Sample, { [column]: value } as never);
        await em.flush();
        await expectStatements(database, 0, () => em.flush());
        const sample = await load(id);
        const fork = database.fork();
        const found = await fork.findOneOrFail(Sample, { tenantId, id });
        await expectStatements(database, 0, () => fork.flush());
        Object.assign(found, { [column]: structuredCloneOf(sample[column]) });
        await expectStatements(database, 0, () => fork.flush());
        expect((await load(id)).version).toBe(1);
      }),
    );

    it.each(COLUMNS)('%s keeps null, takes a value, and null again', (column) =>
      asTenant(tenant, async () => {
        const [, , value] = VALUES.find(([name]) => name === column) as (typeof VALUES)[number];
        const em = database.fork();
        const sample = em.create(Sample, { [column]: null } as never);
        await em.flush();
        expect((await load(sample.id))[column] ?? null).toBeNull();
        for (const next of [value, null]) {
          Object.assign(sample, { [column]: next });
          await em.flush();
          expect((await load(sample.id))[column] ?? null).toEqual(next);
        }
      }),
    );

    it('big is compared, ordered and paged by size, not by its first digit', () =>
      asTenant(tenant, async () => {
        const em = database.fork();
        const sizes = [7n, -1n, 2n ** 40n, 2n ** 53n + 1n, 2n ** 53n, 30n];
        for (const big of sizes) em.create(Sample, { big, short: 'by size' });
        await em.flush();
        const mine = { tenantId, short: 'by size' };
        const bigs = async (where: object, options: object) =>
          (await database.fork().find(Sample, { ...mine, ...where }, options)).map(({ big }) => big);
        const inOrder = [-1n, 7n, 30n, 2n ** 40n, 2n ** 53n, 2n ** 53n + 1n];
        expect(await bigs({}, { orderBy: { big: 'asc' } })).toEqual(inOrder);
        expect(await bigs({ big: { $gt: 7n } }, { orderBy: { big: 'desc' } })).toEqual(inOrder.slice(2).reverse());
        expect(await bigs({ big: { $in: [30n, 2n ** 53n + 1n] } }, { orderBy: { big: 'asc' } })).toHaveLength(2);
        const page = { where: mine, orderBy: { big: 'asc', id: 'asc' }, first: 3 } as const;
        const first = await database.fork().findByCursor(Sample, page);
        const second = await database.fork().findByCursor(Sample, { ...page, after: first });
        expect([...first.items, ...second.items].map(({ big }) => big)).toEqual(inOrder);
      }));

    it('json takes the same content in another order of keys for no change', () =>
      asTenant(tenant, async () => {
        const em = database.fork();
        const { id } = em.create(Sample, { json: { z: 1, a: { y: 2, b: 3 } } } as never);
        await em.flush();
        const fork = database.fork();
        const found = await fork.findOneOrFail(Sample, { tenantId, id });
        found.json = { a: { b: 3, y: 2 }, z: 1 };
        await expectStatements(database, 0, () => fork.flush());
      }));

    it('decimal finds equal values however they are written', () =>
      asTenant(tenant, async () => {
        const em = database.fork();
        const { id } = em.create(Sample, { decimal: '7.5' } as never);
        await em.flush();
        expect(await database.fork().findOne(Sample, { tenantId, id, decimal: '7.500' })).not.toBeNull();
        const fork = database.fork();
        const found = await fork.findOneOrFail(Sample, { tenantId, id });
        found.decimal = '+7.50';
        await expectStatements(database, 0, () => fork.flush());
      }));

    it.each(['1.2345678', 'NaN', '1e3', '', '1234567890123456789012345'])('decimal refuses %p', (decimal) =>
      asTenant(tenant, async () => {
        const em = database.fork();
        em.create(Sample, { decimal } as never);
        await expect(em.flush()).rejects.toThrow('decimal');
      }),
    );

    it('tells its length to whoever reads the metadata', () => {
      const { short } = database.fork().getMetadata().get(Sample).properties;
      expect([short.length, short.columnTypes[0]]).toEqual([10, expect.stringMatching(/10|text/)]);
    });
  });
});

/** A value of its own with the same content. */
function structuredCloneOf(value: unknown): unknown {
  if (value instanceof Money) return new Money(value.amount, value.currency);
  if (value instanceof Date) return new Date(value);
  return Buffer.isBuffer(value) ? Buffer.from(value) : structuredClone(value);
}
