import { runAs } from '#libs/context';
import { streamRows } from '#libs/persistence';
import type { Benchmark, Comparison } from '../benchmark.js';
import { Booking } from '../bulk/bulk-model.js';
import { type BenchDatabase, type BenchEngine, createDatabase, reachableEngines } from '../databases.js';
import { fields, type Growth, memoryOf, ROWS, tenant } from './booking-rows.js';
import { openRawCursor, type RawCursor } from './raw-cursors.js';

const MOST_GROWTH_MB = 100;
const SQL = `select id, reference, subject, amount_amount, amount_currency, cleared, booked_at from booking
  where tenant_id = '${tenant.id}'`;

function asTenant<T>(work: () => Promise<T>): Promise<T> {
  return runAs({ tenant, actor: { id: 'bench', type: 'job' } }, work);
}

async function count(rows: AsyncIterable<unknown> | Iterable<unknown>): Promise<void> {
  let read = 0;
  for await (const _ of rows) read++;
  if (read !== ROWS) throw new Error(`${read} rows were read`);
}

function remarkOf(name: string, { idleMb, grownMb, liveMb }: Growth): string {
  const figures = `at most ${grownMb.toFixed(0)} MB above idle (budget ${MOST_GROWTH_MB})`;
  return `${name}, in a process of its own: ${figures}; idle ${idleMb.toFixed(0)} MB, heap alive at the end ${liveMb.toFixed(0)} MB`;
}

function compare({ label }: BenchEngine, database: BenchDatabase, raw: RawCursor, written: Growth): Comparison {
  return {
    title: `${label}: ${ROWS} rows of seven columns`,
    control: { name: 'cursor of the driver', run: () => count(raw.rows(SQL)) },
    contenders: [
      { name: 'streamRows', run: () => asTenant(() => count(streamRows(database.fork(), Booking, { fields }))) },
    ],
    budgets: { streamRows: 2 },
    rounds: 3,
    remarks: async () => [
      remarkOf('streamRows', await memoryOf(database.url, 'out')),
      remarkOf('bulkInsert from a generator', written),
    ],
  };
}

async function* comparisons(): AsyncIterable<Comparison> {
  for (const engine of reachableEngines()) {
    const database = await createDatabase(engine, [Booking]);
    const raw = await openRawCursor(engine.name, database.url);
    try {
      const written = await memoryOf(database.url, 'in');
      yield compare(engine, database, raw, written);
    } finally {
      await raw.close();
      await database.close();
    }
  }
}

export const stream: Benchmark = {
  name: 'stream',
  about: `${ROWS} rows in and out, beside a cursor of the driver; memory above idle`,
  comparisons,
};
