// How much memory rows in and rows out take, in a process of its own, started like the API: what other work has left in a
// process would hide it. Told the database by its arguments; says the most it grew by above what it had when idle.
import { type EntityClass, MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { runAs } from '#libs/context';
import { bulkInsert, Money, ormOptions, streamRows } from '#libs/persistence';
import { Booking } from '../bulk/bulk-model.js';
import { fields, type Growth, ROWS, tenant } from './booking-rows.js';

const LOOK_EACH = 5_000;
const MB = 1024 * 1024;

function* bookings(look: () => void) {
  for (let i = 0; i < ROWS; i++) {
    if (i % LOOK_EACH === 0) look();
    yield { reference: `B-${i}`, subject: `Payment ${i} for the order`, amount: new Money(i, 'EUR') };
  }
}

/** Most memory that the process had while `work` ran, above what it had before. */
async function growthOf(work: (look: () => void) => Promise<void>): Promise<Growth> {
  globalThis.gc?.();
  const idle = process.memoryUsage.rss();
  let peak = idle;
  await work(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  });
  globalThis.gc?.();
  return { idleMb: idle / MB, grownMb: (peak - idle) / MB, liveMb: process.memoryUsage().heapUsed / MB };
}

const [url = '', direction] = process.argv.slice(2);
const orm = await MikroORM.init<AbstractSqlDriver>(ormOptions(url, { entities: [Booking as EntityClass] }));
const em = orm.em.fork() as SqlEntityManager;
const growth = await runAs({ tenant, actor: { id: 'bench', type: 'job' } }, async () => {
  // Connections and statements are there before it counts.
  await em.count(Booking, { tenantId: tenant.id, reference: 'none' });
  return growthOf(async (look) => {
    if (direction === 'in') {
      await bulkInsert(em, Booking, bookings(look), { batchSize: 2_000 });
      return;
    }
    let read = 0;
    for await (const _ of streamRows(em, Booking, { fields })) if (++read % LOOK_EACH === 0) look();
    if (read !== ROWS) throw new Error(`${read} rows were read`);
  });
});
await orm.close(true);
process.send?.(growth);
