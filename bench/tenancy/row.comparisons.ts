import { deepStrictEqual, notStrictEqual } from 'node:assert';
import type { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import type { ContextTenant } from '#libs/context';
import type { Comparison, Contender } from '../benchmark.js';
import { Booking, Item } from '../bulk/bulk-model.js';
import type { BenchEngine } from '../databases.js';
import { repeatAtOnce } from './repeat-at-once.js';
import {
  addItems,
  asTenant,
  aTenant,
  dealBookings,
  forkOf,
  openTenantDatabase,
  type TenantDatabase,
} from './tenant-databases.js';

/** So many that compiling code, which starts over after the collection of garbage before a round, is a small part. */
const READS = 4_000;
const PAGES = 600;
const PAGE = 20;
const ROWS = 20_000;
const FEW = 10;
const MANY = 10_000;
const TURNS = 400;
/** Tenancy may add a twentieth to a read, and ten thousand tenants a tenth to what ten wait for. */
const ROW_BUDGET = 1.05;
const MANY_BUDGET = 1.1;

const WITHOUT = 'without tenancy';
const WITH = 'row strategy';

type Read = (em: SqlEntityManager, n: number) => Promise<unknown>;

function reader(
  name: string,
  orm: MikroORM<AbstractSqlDriver>,
  tenant: ContextTenant,
  times: number,
  read: Read,
): Contender {
  return {
    name,
    run: () =>
      asTenant(tenant, () =>
        repeatAtOnce(times, async (n) => notStrictEqual((await read(forkOf(orm), n)) ?? null, null)),
      ),
  };
}

/** How many statements `work` sends; MikroORM's own and those of the short way alike. */
async function statementsOf(orm: MikroORM<AbstractSqlDriver>, work: () => Promise<unknown>): Promise<number> {
  const connection = orm.em.getConnection() as unknown as { executeQuery(...args: unknown[]): unknown };
  const { executeQuery } = connection;
  let count = 0;
  connection.executeQuery = (...args) => {
    count++;
    return executeQuery.apply(connection, args);
  };
  await work();
  connection.executeQuery = executeQuery;
  return count;
}

/** The same read with and without all that keeps tenants apart, on PostgreSQL with row-level security. */
export async function* rowReads(engine: BenchEngine): AsyncIterable<Comparison> {
  const database = await openTenantDatabase(engine);
  const { guarded, bare } = database;
  const tenant = aTenant();
  const ids = await addItems(guarded, tenant, 200);
  const { id: tenantId } = tenant;
  const idOf = (n: number) => ids[n % ids.length] as string;
  const page = { orderBy: { createdAt: 'desc', id: 'desc' }, limit: PAGE } as never;
  const reads: readonly [title: string, times: number, bare: Read, guarded: Read][] = [
    [
      `${READS} × one class-table row by its key`,
      READS,
      (em, n) => em.findOne(Item, { tenantId, id: idOf(n) }),
      (em, n) => em.findOne(Item, { id: idOf(n) } as never),
    ],
    [
      `${PAGES} × a page of ${PAGE} class-table rows`,
      PAGES,
      (em) => em.find(Item, { tenantId } as never, page),
      (em) => em.find(Item, {}, page),
    ],
  ];
  try {
    for (const [title, times, without, within] of reads) {
      yield {
        title: `${engine.label}: ${title}, CPU without the server`,
        by: 'cpu',
        rounds: 11,
        warmUpRounds: 4,
        control: reader(WITHOUT, bare, tenant, times, without),
        contenders: [reader(WITH, guarded, tenant, times, within)],
        budgets: { [WITH]: ROW_BUDGET },
        async remarks() {
          const once = (orm: MikroORM<AbstractSqlDriver>, read: Read) =>
            statementsOf(orm, () => asTenant(tenant, () => read(forkOf(orm), 0)));
          const counts = [await once(bare, without), await once(guarded, within)];
          deepStrictEqual(counts, [1, 1]);
          return ['One statement each.'];
        },
      };
    }
  } finally {
    await database.close();
  }
}

/** As many rows, of few tenants and of many: what a read waits for. */
export async function compareTenantCounts(engine: BenchEngine): Promise<Comparison> {
  const contenders: Contender[] = [];
  const databases: TenantDatabase[] = [];
  for (const count of [FEW, MANY]) {
    const database = await openTenantDatabase(engine);
    databases.push(database);
    const tenants = Array.from({ length: count }, (_, n) => aTenant(`tenant-${n}`));
    const rows = await dealBookings(database.bare, tenants, ROWS);
    let at = 0;
    contenders.push({
      name: `${count} tenants`,
      async run() {
        for (let n = 0; n < TURNS; n++) {
          // 7,919 is prime to the number of rows: every tenant has its turn, and none twice in a row.
          at = (at + 7_919) % rows.length;
          const { tenant, id } = rows[at] as (typeof rows)[number];
          const read = () => forkOf(database.guarded).findOne(Booking, { id } as never);
          notStrictEqual(await asTenant(tenant, read), null);
        }
      },
    });
  }
  const [control, ...others] = contenders as [Contender, ...Contender[]];
  return {
    title: `${engine.label}: ${TURNS} × one of ${ROWS} rows by its key, of tenants that take turns`,
    rounds: 15,
    control,
    contenders: others,
    budgets: { [`${MANY} tenants`]: MANY_BUDGET },
    async close() {
      for (const database of databases) await database.close();
    },
  };
}
