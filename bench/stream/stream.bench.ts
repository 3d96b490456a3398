import { v7 as uuidv7 } from 'uuid';
import { runAs } from '#libs/context';
import { bulkInsert, Money, streamRows } from '#libs/persistence';
import type { Benchmark, Comparison } from '../benchmark.js';
import { Booking } from '../bulk/bulk-model.js';
import { type BenchDatabase, type BenchEngine, createDatabase, reachableEngines } from '../databases.js';
import { openRawCursor, type RawCursor } from './raw-cursors.js';

const ROWS = 1_000_000;
const MOST_GROWTH_MB = 100;
const MB = 1024 * 1024;
const tenant = { id: uuidv7(), slug: 'acme' };
const fields = ['id', 'reference', 'subject', 'amount', 'cleared', 'bookedAt'] as const;
const SQL = `select id, reference, subject, amount_amount, amount_currency, cleared, booked_at from booking
  where tenant_id = '${tenant.id}'`;

function asTenant<T>(work: () => Promise<T>): Promise<T> {
  return runAs({ tenant, actor: { id: 'bench', type: 'job' } }, work);
}

function* bookings() {
  for (let i = 0; i < ROWS; i++) {
    yield { reference: `B-${i}`, subject: `Payment ${i} for the order`, amount: new Money(i, 'EUR') };
  }
}

/** Most memory that the process had while `work` ran, above what it had before, in MB. */
async function peakGrowthOf(work: (look: () => void) => Promise<void>): Promise<number> {
  globalThis.gc?.();
  const idle = process.memoryUsage.rss();
  let peak = idle;
  await work(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  });
  return (peak - idle) / MB;
}

async function count(rows: AsyncIterable<unknown> | Iterable<unknown>, look?: () => void): Promise<void> {
  let read = 0;
  for await (const _ of rows) {
    if (++read % 10_000 === 0) look?.();
  }
  if (read !== ROWS) throw new Error(`${read} rows were read`);
}

function compare({ label }: BenchEngine, database: BenchDatabase, raw: RawCursor, written: number): Comparison {
  const growths: number[] = [];
  return {
    title: `${label}: ${ROWS} rows of seven columns`,
    control: { name: 'cursor of the driver', run: () => count(raw.rows(SQL)) },
    contenders: [
      {
        name: 'streamRows',
        run: () =>
          asTenant(async () => {
            const rows = streamRows(database.fork(), Booking, { fields });
            growths.push(await peakGrowthOf((look) => count(rows, look)));
          }),
      },
    ],
    budgets: { streamRows: 2 },
    rounds: 3,
    remarks: () => [
      `streamRows: at most ${Math.max(...growths).toFixed(0)} MB above idle (budget ${MOST_GROWTH_MB})`,
      `bulkInsert from a generator, ${ROWS} rows: at most ${written.toFixed(0)} MB above idle (budget ${MOST_GROWTH_MB})`,
    ],
  };
}

/** Rows in: from a generator, a transaction a batch. */
function fill(database: BenchDatabase): Promise<number> {
  return peakGrowthOf((look) =>
    asTenant(async () => {
      function* watched() {
        let made = 0;
        for (const row of bookings()) {
          if (++made % 10_000 === 0) look();
          yield row;
        }
      }
      await bulkInsert(database.fork(), Booking, watched(), { batchSize: 5_000 });
    }),
  );
}

async function* comparisons(): AsyncIterable<Comparison> {
  for (const engine of reachableEngines()) {
    const database = await createDatabase(engine, [Booking]);
    const raw = await openRawCursor(engine.name, database.url);
    try {
      const written = await fill(database);
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
