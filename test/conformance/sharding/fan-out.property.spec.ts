import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { v7 as uuidv7 } from 'uuid';
import { getEngine, ormOptions } from '#libs/persistence';
import { createShardKeyChoosers, moduloPlacement, type ShardedEntityManager, type ShardedPage } from '#libs/sharding';
import { eachLayout, type ShardSuite } from './layouts.js';
import { Item, itemModel } from './property-model.js';
import { Random } from './random.js';

const ROWS = 120;
const CASES = Number(process.env.PROPERTY_CASES ?? 60);
/** Each of these asks for all rows, page by page. */
const WALKS = Math.ceil(CASES / 15);
const TIMEOUT_MS = 5000 + CASES * 100;
/** Ties, nulls, cases, accents, and code points that UTF-16 sorts otherwise. */
const NAMES = [
  'a',
  'A',
  'b',
  'ä',
  'z',
  'Z',
  '',
  ' ',
  'é',
  'e\u0301',
  '手机',
  '\u{1F600}',
  '\uFB01',
  'a b',
  'ab',
  'straße',
  null,
];
const KEYS = ['name', 'stock', 'views', 'price', 'isOnSale', 'soldAt', 'shelf', 'size.width', 'size.unit'] as const;

function aRow(random: Random) {
  const orNull = <T>(value: T) => (random.chance(20) ? null : value);
  return {
    id: uuidv7(),
    shelf: random.integer(40),
    name: random.pick(NAMES),
    stock: orNull(random.integer(5) - 2),
    views: orNull(random.pick([0n, 7n, -1n, 2n ** 40n, 9_007_199_254_740_991n])),
    price: orNull(random.pick(['0.00', '9.90', '10.00', '-3.25', '1000000.01'])),
    isOnSale: orNull(random.chance(50)),
    soldAt: orNull(new Date(1_700_000_000_000 + random.integer(4))),
    size: { width: random.integer(3), unit: random.pick(['cm', 'CM', 'in']) },
  };
}

/** The same order twice: as a user writes it, and with nulls where the sharded answer has them by default. */
function anOrder(random: Random, nullsAreLow: boolean) {
  const asWritten: object[] = [];
  const spelledOut: object[] = [];
  for (const key of random.some(KEYS, 3)) {
    const way = random.pick(['asc', 'desc'] as const);
    const nulls = random.pick(['', ' nulls first', ' nulls last']);
    const byDefault = nullsAreLow === (way === 'asc') ? ' nulls first' : ' nulls last';
    const nest = (direction: string) =>
      key.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), direction);
    asWritten.push(nest(way + nulls) as object);
    spelledOut.push(nest(way + (nulls || byDefault)) as object);
  }
  return { asWritten, spelledOut: [...spelledOut, { id: 'asc' }] };
}

function aCondition(random: Random): object {
  const value = random.integer(5) - 2;
  return random.pick<object>([
    {},
    {},
    { stock: { $gte: value } },
    { stock: null },
    { isOnSale: random.chance(50) },
    { shelf: { $in: [random.integer(40), random.integer(40), random.integer(40)] } },
    { $or: [{ shelf: random.integer(40) }, { stock: value }] },
    { $not: { shelf: { $lt: 20 } } },
    { $and: [{ shelf: { $gt: 5 } }, { soldAt: { $ne: null } }] },
    { size: { width: value } },
  ]);
}

/** A page, or everything; offsets past the end included. */
function aPage(random: Random): { limit?: number; offset?: number } {
  if (random.chance(20)) return {};
  return { limit: random.integer(25), ...(random.chance(50) ? { offset: random.integer(ROWS + 10) } : {}) };
}

/** Every aggregate, per group. `column` is the name in SQL. */
const GROUPS = {
  name: 'name',
  isOnSale: 'is_on_sale',
  shelf: 'shelf',
  price: 'price',
  soldAt: 'sold_at',
  views: 'views',
};
const SELECT = {
  rows: 'count',
  sumStock: { sum: 'stock' },
  sumViews: { sum: 'views' },
  sumPrice: { sum: 'price' },
  meanStock: { avg: 'stock' },
  first: { min: 'name' },
  last: { max: 'name' },
  cheapest: { min: 'price' },
  latest: { max: 'soldAt' },
  names: { countDistinct: 'name' },
} as const;
const SELECT_SQL = `count(*) as "rows", sum(stock) as "sumStock", cast(sum(views) as text) as "sumViews",
  case when count(price) > 0 then printf('%.2f', sum(price)) end as "sumPrice", avg(stock) as "meanStock",
  min(name) as "first", max(name) as "last", case when count(price) > 0 then printf('%.2f', min(price)) end as cheapest,
  max(sold_at) as latest, count(distinct name) as names`;

/** Group keys, as sqlite gives them. */
function asGroup(name: string, value: unknown): unknown {
  if (value === null) return null;
  if (name === 'isOnSale') return value === 1;
  if (name === 'soldAt') return new Date(Number(value));
  if (name === 'price') return Number(value).toFixed(2);
  return name === 'views' ? BigInt(value as string) : value;
}

/** Groups come in no order of their own. */
function sorted(rows: readonly Record<string, unknown>[]): unknown[] {
  const key = ({ ...row }: Record<string, unknown>) => Object.entries(row).sort().map(String).join();
  return rows.map((row) => [key(row), row] as const).sort(([a], [b]) => (a < b ? -1 : 1));
}

describe('fan-out answers are those of one database holding all rows', () => {
  const cases = (suite: ShardSuite) => {
    const seed = Number(process.env.PROPERTY_SEED ?? Math.floor(Math.random() * 2 ** 31));
    const random = new Random(seed);
    let one: MikroORM<AbstractSqlDriver>;
    let nullsAreLow = true;
    const createSharded = (): ShardedEntityManager =>
      suite.create({
        mode: 'multi',
        cursorKey: 'of all units of work',
        ...createShardKeyChoosers({
          placement: moduloPlacement(suite.registry.ids),
          keys: [{ entity: Item, property: 'shelf' }],
        }),
      });
    /** Runs one random case; a failure names the seed that repeats the whole run. */
    const repeatable = async (index: number, query: unknown, check: () => Promise<void>) => {
      try {
        await check();
      } catch (error) {
        const hint = `PROPERTY_SEED=${seed} repeats it; case ${index}: ${JSON.stringify(query)}`;
        throw new Error(`${hint}\n${(error as Error).message}`, { cause: error });
      }
    };

    beforeAll(async () => {
      one = new MikroORM<AbstractSqlDriver>(ormOptions('sqlite::memory:', { entities: itemModel }));
      await one.schema.create();
      const [first] = suite.registry.ids as [string];
      nullsAreLow = getEngine(suite.registry.definition(first).url).name !== 'postgresql';
    });

    afterAll(() => one.close());

    beforeEach(async () => {
      await one.schema.clear();
      const rows = Array.from({ length: ROWS }, () => aRow(random));
      const em = createSharded();
      for (const row of rows) em.create(Item, { ...row });
      await em.flush();
      const whole = one.em.fork();
      for (const row of rows) whole.create(Item, { ...row });
      await whole.flush();
    });

    it(
      `finds the same rows in the same order (${CASES} random queries, seed ${seed})`,
      async () => {
        for (let index = 0; index < CASES; index++) {
          const where = aCondition(random);
          const { asWritten, spelledOut } = anOrder(random, nullsAreLow);
          const page = aPage(random);
          await repeatable(index, { where, orderBy: asWritten, ...page }, async () => {
            const sharded = await createSharded().find(Item, where, { orderBy: asWritten as never, ...page });
            const expected = await one.em.fork().find(Item, where, { orderBy: spelledOut as never, ...page });
            expect(sharded.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
          });
        }
      },
      TIMEOUT_MS,
    );

    it(
      'counts, sums, averages and finds extremes and distinct values, in groups or in all',
      async () => {
        for (let index = 0; index < CASES; index++) {
          const where = aCondition(random);
          const groupBy = random.chance(25) ? [] : random.some(Object.keys(GROUPS) as (keyof typeof GROUPS)[], 2);
          const least = random.integer(4);
          const having = groupBy.length > 0 ? { rows: { $gt: least } } : undefined;
          await repeatable(index, { where, groupBy, having }, async () => {
            const rows = await createSharded().aggregate(Item, { where, groupBy, select: SELECT, having });
            const keys = groupBy.map((name) => `${GROUPS[name]} as "${name}"`);
            const all = await one.em.fork().find(Item, where, { fields: ['id'] });
            const ids = all.map(({ id }) => `'${id}'`).join(', ');
            const sql =
              `select ${[...keys, SELECT_SQL].join(', ')} from item where id in (${ids})` +
              (having ? ` group by ${groupBy.map((name) => GROUPS[name]).join(', ')} having count(*) > ${least}` : '');
            const expected = await (one.em.fork() as SqlEntityManager).execute<Record<string, unknown>[]>(sql);
            const decoded = expected.map((row) => ({
              ...row,
              ...Object.fromEntries(groupBy.map((name) => [name, asGroup(name, row[name])])),
              latest: asGroup('soldAt', row.latest),
              sumViews: asGroup('views', row.sumViews),
            }));
            expect(sorted(rows)).toEqual(sorted(decoded));
          });
        }
      },
      TIMEOUT_MS,
    );

    it(
      `pages by cursor, and streams, through the same rows in the same order (${WALKS} random queries)`,
      async () => {
        for (let index = 0; index < WALKS; index++) {
          const where = aCondition(random);
          const { asWritten, spelledOut } = anOrder(random, nullsAreLow);
          const [first, chunkSize] = [10 + random.integer(40), 3 + random.integer(20)];
          await repeatable(index, { where, orderBy: asWritten, first, chunkSize }, async () => {
            const all = await one.em.fork().find(Item, where, { orderBy: spelledOut as never });
            const expected = all.map(({ id }) => id);
            const query = { where, orderBy: asWritten as never };
            const paged: string[] = [];
            let after: string | null = null;
            do {
              // A new unit of work each: all that is known from before stands in the cursor.
              const page: ShardedPage<Item> = await createSharded().findByCursor(Item, { ...query, first, after });
              paged.push(...page.items.map(({ id }) => id));
              after = page.cursor;
              if (after !== null) expect(page.items).toHaveLength(first);
            } while (after !== null);
            expect(paged).toEqual(expected);
            const streamed: string[] = [];
            for await (const { id } of createSharded().stream(Item, { ...query, chunkSize })) streamed.push(id);
            expect(streamed).toEqual(expected);
          });
        }
      },
      TIMEOUT_MS,
    );

    it('counts, and pages without a gap or a repetition', async () => {
      for (let index = 0; index < 10; index++) {
        const where = aCondition(random);
        const { asWritten } = anOrder(random, nullsAreLow);
        await repeatable(index, { where, orderBy: asWritten }, async () => {
          const em = createSharded();
          const total = await one.em.fork().count(Item, where);
          expect(await em.count(Item, where)).toBe(total);
          const seen: string[] = [];
          for (let offset = 0; offset < total; offset += 7) {
            const options = { orderBy: asWritten as never, limit: 7, offset };
            const [page, count] = await em.findAndCount(Item, where, options);
            expect(count).toBe(total);
            seen.push(...page.map(({ id }) => id));
          }
          expect(new Set(seen).size).toBe(total);
          expect(seen).toHaveLength(total);
        });
      }
    });
  };

  eachLayout(cases, itemModel);
});
