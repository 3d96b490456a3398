import type { EntityClass } from '@mikro-orm/core';
import { v7 as uuidv7 } from 'uuid';
import { runAs } from '#libs/context';
import { bulkInsert, Money } from '#libs/persistence';
import type { Benchmark, Comparison, Contender } from '../benchmark.js';
import { type BenchDatabase, type BenchEngine, createDatabase, reachableEngines } from '../databases.js';
import { Booking, DigitalItem, Item } from './bulk-model.js';
import { type BookingRow, type ItemRow, type RawRows, type RawValues, toBookings, toItems } from './raw-tables.js';
import { openRawWriter, type RawWriter } from './raw-writers.js';

const ROWS = 10_000;
const tenant = { id: uuidv7(), slug: 'acme' };

const bookings = Array.from(
  { length: ROWS },
  (_, i): BookingRow => ({
    reference: `B-${i}`,
    subject: `Payment "${i}" for the order of the day`,
    amount: new Money(1000 + i, 'EUR'),
    details: i % 4 === 0 ? { channel: 'web', attempts: i % 3 } : null,
  }),
);
const items = Array.from(
  { length: ROWS },
  (_, i): ItemRow => ({
    sku: `sku-${i}`,
    name: `Digital thing number ${i}`,
    price: new Money(100 + i, 'EUR'),
    ...(i % 4 === 0 && { attributes: { section: 'games', rank: i } }),
    downloadSizeKb: i * 10,
  }),
);

/** One kind of rows: what they are for the ORM, and for a driver. */
interface Kind<Row extends object> {
  readonly title: string;
  readonly entity: EntityClass<object>;
  readonly rows: readonly Row[];
  readonly budget: number;
  /** Tables to empty, children first. */
  readonly tables: readonly string[];
  toRaw(rows: readonly Row[], tenantId: string, values: RawValues): RawRows[];
}

const plain: Kind<BookingRow> = {
  title: 'one table',
  entity: Booking,
  rows: bookings,
  budget: 1.5,
  tables: ['booking'],
  toRaw: toBookings,
};
const classTable: Kind<ItemRow> = {
  title: 'class-table, two tables',
  entity: DigitalItem,
  rows: items,
  budget: 1.6,
  tables: ['digital_item', 'item'],
  toRaw: toItems,
};

function asTenant<T>(work: () => Promise<T>): Promise<T> {
  return runAs({ tenant, actor: { id: 'bench', type: 'job' } }, work);
}

function rawContenders<Row extends object>(
  kind: Kind<Row>,
  raw: RawWriter,
  shared: Pick<Contender, 'prepare' | 'verify'>,
) {
  return Object.entries(raw.ways).map(
    ([name, write]): Contender => ({
      ...shared,
      name: `driver, ${name}`,
      run: () => write(kind.toRaw(kind.rows, tenant.id, raw.values)),
    }),
  );
}

function compare<Row extends object>(
  kind: Kind<Row>,
  engine: BenchEngine,
  database: BenchDatabase,
  raw: RawWriter,
): Comparison {
  const shared = {
    async prepare() {
      for (const table of kind.tables) await raw.execute(`delete from ${table}`);
    },
    async verify() {
      const em = database.fork();
      for (const table of kind.tables) {
        const [row] = await em.execute(`select count(*) as n from ${table}`);
        if (Number(row?.n) !== kind.rows.length) throw new Error(`${table} holds ${row?.n} rows`);
      }
    },
  };
  const [control, ...others] = rawContenders(kind, raw, shared);
  const bulk: Contender = {
    ...shared,
    name: 'bulkInsert',
    run: () => asTenant(async () => void (await bulkInsert(database.fork(), kind.entity, kind.rows))),
  };
  return {
    title: `${engine.label}: ${ROWS} rows, ${kind.title}`,
    control: control as Contender,
    contenders: [...others, bulk],
    budgets: { bulkInsert: kind.budget },
  };
}

type Compare = typeof compare;

async function* comparisonsOf(make: Compare): AsyncIterable<Comparison> {
  for (const engine of reachableEngines()) {
    const database = await createDatabase(engine, [Booking, Item, DigitalItem]);
    const raw = await openRawWriter(engine.name, database.url);
    try {
      yield make(plain, engine, database, raw);
      yield make(classTable, engine, database, raw);
    } finally {
      await raw.close();
      await database.close();
    }
  }
}

export const bulk: Benchmark = {
  name: 'bulk',
  about: `bulkInsert of ${ROWS} rows beside the bare driver`,
  comparisons: () => comparisonsOf(compare),
};

/** What a flush may cost, as a multiple of the driver's best way. */
const FLUSH_BUDGETS: Readonly<Record<string, number>> = { sqlite: 10, postgresql: 3, mariadb: 8, mysql: 8 };

/** The unit of work in place of `bulkInsert`, and a quarter of its rows beside it: four times that is linear growth. */
const compareFlush: Compare = (kind, engine, database, raw) => {
  const { control, title } = compare(kind, engine, database, raw);
  const flushOf = (count: number): Contender => ({
    name: `flush of ${count}`,
    prepare: control.prepare,
    run: () =>
      asTenant(async () => {
        const em = database.fork();
        for (const row of kind.rows.slice(0, count)) em.create(kind.entity, row as never);
        await em.flush();
      }),
  });
  const whole = flushOf(ROWS);
  return {
    title,
    control,
    contenders: [flushOf(ROWS / 4), whole],
    budgets: { [whole.name]: FLUSH_BUDGETS[engine.name] ?? 10 },
    rounds: 3,
  };
};

export const flush: Benchmark = {
  name: 'flush',
  about: `a flush of ${ROWS} new entities beside the bare driver`,
  comparisons: () => comparisonsOf(compareFlush),
};
