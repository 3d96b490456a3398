import type { EventSubscriber } from '@mikro-orm/core';
import { v7 as uuidv7 } from 'uuid';
import { AuditEntry, AuditRecorder } from '#libs/audit';
import { runAs } from '#libs/context';
import { bulkInsert, bulkUpdate, ChangeEventsSubscriber, engines, Money, runInSystemFrame } from '#libs/persistence';
import { GuardedEntityManager, guardedDriver } from '#libs/tenancy';
import type { Benchmark, Comparison, Contender } from '../benchmark.js';
import { Booking, DigitalItem, Item } from '../bulk/bulk-model.js';
import { type BenchDatabase, type BenchEngine, createDatabase, reachableEngines } from '../databases.js';
import { median } from '../measure.js';
import { DriverEntries } from './driver-entries.js';

const ROWS = 100;
/** So that a round is long enough to be measured. */
const FLUSHES = 10;
const SMALL_FLUSHES = 200;
const BULK_ROWS = 10_000;
const tenant = { id: uuidv7(), slug: 'acme' };

/** The same database three times, behind the guard. */
interface Databases {
  readonly engine: BenchEngine;
  readonly plain: BenchDatabase;
  readonly audited: BenchDatabase;
  /** Without a recorder: ready-made entries are inserted instead. */
  readonly bare: BenchDatabase;
  readonly entries: DriverEntries;
}

function asTenant<T>(work: () => Promise<T>): Promise<T> {
  return runAs({ tenant, actor: { id: 'bench', type: 'job' }, route: 'bench' }, work);
}

function open(engine: BenchEngine, subscribers: EventSubscriber[]): Promise<BenchDatabase> {
  return createDatabase(engine, [AuditEntry, Booking, Item, DigitalItem], {
    driver: guardedDriver(engines[engine.name]),
    entityManager: GuardedEntityManager,
    subscribers,
  });
}

async function openAll(engine: BenchEngine): Promise<Databases> {
  const onError = (error: unknown) => console.error(error);
  const changes = new ChangeEventsSubscriber({ subscribers: [new AuditRecorder()], onError });
  const entries = new DriverEntries();
  const [plain, audited, bare] = [await open(engine, []), await open(engine, [changes]), await open(engine, [entries])];
  return { engine, plain, audited, bare, entries };
}

/** PostgreSQL counts rows when it pleases: a plan made for an empty table takes 11 s for what takes half a second. */
async function countRows(database: BenchDatabase): Promise<void> {
  if (database.url.startsWith('postgresql')) await execute(database, 'analyze');
}

/** Past the guard, which lets nobody empty a trail. */
async function execute(database: BenchDatabase, sql: string): Promise<Record<string, unknown>[]> {
  return runInSystemFrame('prepare a benchmark', () => database.orm.em.getConnection().execute(sql));
}

/** Emptied, not deleted from: rows that are dead and still there would be paid for by whoever comes next. */
async function clearTrail(database: BenchDatabase): Promise<void> {
  const isFile = database.url.startsWith('sqlite');
  await execute(database, isFile ? 'delete from audit_entry' : 'truncate table audit_entry');
}

async function clear(database: BenchDatabase): Promise<void> {
  await clearTrail(database);
  for (const table of ['booking', 'digital_item', 'item']) await execute(database, `delete from ${table}`);
}

async function countEntries(database: BenchDatabase): Promise<number> {
  const [row] = await execute(database, 'select count(*) as n from audit_entry');
  return Number(row?.n);
}

type Work = (database: BenchDatabase) => Promise<void>;

/** The same work with and without audit; `entries` is what it must leave on record. */
function compare(title: string, { plain, audited }: Databases, entries: number, prepare: Work, work: Work) {
  const contender = (name: string, database: BenchDatabase, expected: number): Contender => ({
    name,
    async prepare() {
      await clear(database);
      await prepare(database);
      await clearTrail(database);
      await countRows(database);
    },
    run: () => asTenant(() => work(database)),
    async verify() {
      const count = await countEntries(database);
      if (count !== expected) throw new Error(`${title}, ${name}: ${count} entries instead of ${expected}`);
    },
  });
  const name = 'audited';
  return { title, control: contender('not audited', plain, 0), contenders: [contender(name, audited, entries)] };
}

const DRIVER_ALONE = 'not audited, the same entries by the driver';

/** With a third contender: of what audit costs, so much is the database's and its driver's. */
function compareFlushes(title: string, databases: Databases, prepare: Work, work: Work): Comparison {
  const { engine, audited, bare, entries } = databases;
  const comparison = compare(title, databases, FLUSHES * ROWS, prepare, work);
  let recorded: Record<string, unknown>[] | undefined;
  /** Once: the trail is emptied before each round, so that the same entries can be written again. */
  const record = async () => {
    await clear(audited);
    await asTenant(() => prepare(audited));
    await clearTrail(audited);
    await asTenant(() => work(audited));
    return execute(audited, 'select * from audit_entry order by id');
  };
  const driverAlone: Contender = {
    name: DRIVER_ALONE,
    async prepare() {
      recorded ??= await record();
      await clear(bare);
      await asTenant(() => prepare(bare));
      await countRows(bare);
      entries.prepare(engine.name, recorded, ROWS);
    },
    run: () => asTenant(() => work(bare)),
    async verify() {
      const count = await countEntries(bare);
      if (count !== FLUSHES * ROWS) throw new Error(`${title}, ${DRIVER_ALONE}: ${count} entries`);
    },
  };
  return { ...comparison, contenders: [driverAlone, ...comparison.contenders], budgets: { audited: 1.1 } };
}

const nothing: Work = async () => {};

const createBookings: Work = async (database) => {
  for (let flush = 0; flush < FLUSHES; flush++) {
    const em = database.fork();
    for (let row = 0; row < ROWS; row++) {
      const amount = new Money(1000 + row, 'EUR');
      em.create(Booking, {
        reference: `B-${flush}-${row}`,
        subject: `Payment ${row} for the order of the day`,
        amount,
      } as never);
    }
    await em.flush();
  }
};

const createItems: Work = async (database) => {
  for (let flush = 0; flush < FLUSHES; flush++) {
    const em = database.fork();
    for (let row = 0; row < ROWS; row++) {
      const price = new Money(1000 + row, 'EUR');
      const name = `Digital thing number ${row}`;
      em.create(DigitalItem, { sku: `sku-${flush}-${row}`, name, price, downloadSizeKb: row } as never);
    }
    await em.flush();
  }
};

const insertItems =
  (count: number): Work =>
  (database) =>
    asTenant(async () => {
      const rows = Array.from({ length: count }, (_, row) => ({
        sku: `sku-${row}`,
        name: `Digital thing number ${row}`,
        price: new Money(1000 + row, 'EUR'),
        downloadSizeKb: row,
      }));
      await bulkInsert(database.fork(), DigitalItem, rows);
    });

const updateItems: Work = async (database) => {
  for (let flush = 0; flush < FLUSHES; flush++) {
    const em = database.fork();
    const where = { downloadSizeKb: { $gte: flush * ROWS, $lt: (flush + 1) * ROWS } };
    for (const item of await em.find(DigitalItem, where)) item.name = `${item.name}, renamed`;
    await em.flush();
  }
};

const updateInBulk: Work = async (database) => {
  await bulkUpdate(database.fork(), Item, { where: {}, set: { stock: 7 } });
};

/** How long each flush of one row took, by database. */
function smallFlushes(samples: Map<BenchDatabase, number[]>): Work {
  return async (database) => {
    const taken = samples.get(database) ?? [];
    samples.set(database, taken);
    for (let flush = 0; flush < SMALL_FLUSHES; flush++) {
      const em = database.fork();
      em.create(Booking, { reference: `S-${flush}`, subject: 'One payment', amount: new Money(1, 'EUR') } as never);
      const start = performance.now();
      await em.flush();
      taken.push(performance.now() - start);
    }
  };
}

function oneRow(pair: Databases): Comparison {
  const samples = new Map<BenchDatabase, number[]>();
  const comparison = compare(
    `${pair.engine.label}: flush of one row`,
    pair,
    SMALL_FLUSHES,
    nothing,
    smallFlushes(samples),
  );
  return {
    ...comparison,
    remarks() {
      const [plain, audited] = [pair.plain, pair.audited].map((database) => median(samples.get(database) ?? []));
      const more = (audited ?? Number.NaN) - (plain ?? Number.NaN);
      return [`a flush: ${plain?.toFixed(3)} ms, audited ${audited?.toFixed(3)} ms: ${more.toFixed(3)} ms more`];
    },
  };
}

/** What an entry takes in the table and its indexes, as far as the engine tells. */
async function bytesPerEntry(database: BenchDatabase): Promise<readonly string[]> {
  const [row] = await execute(database, 'select count(*) as n, avg(length(changes)) as text from audit_entry');
  return [`${Number(row?.n)} entries, ${Number(row?.text).toFixed(0)} bytes of changes each`];
}

async function* comparisons(): AsyncIterable<Comparison> {
  for (const engine of reachableEngines()) {
    const databases = await openAll(engine);
    const { label } = engine;
    const flushes = FLUSHES * ROWS;
    try {
      yield compareFlushes(`${label}: flush of 100 new rows, one table`, databases, nothing, createBookings);
      yield compareFlushes(`${label}: flush of 100 new rows, two tables`, databases, nothing, createItems);
      yield compareFlushes(`${label}: 100 rows found, changed, flushed`, databases, insertItems(flushes), updateItems);
      yield oneRow(databases);
      yield {
        ...compare(
          `${label}: bulkUpdate of 10,000 rows, an entry each`,
          databases,
          BULK_ROWS,
          insertItems(BULK_ROWS),
          updateInBulk,
        ),
        budgets: { audited: 4 },
        rounds: 5,
        remarks: () => bytesPerEntry(databases.audited),
      };
    } finally {
      for (const { close } of [databases.plain, databases.audited, databases.bare]) await close();
    }
  }
}

export const audit: Benchmark = {
  name: 'audit',
  about: 'flushes and bulk updates that leave entries, beside the same without audit',
  comparisons,
};
