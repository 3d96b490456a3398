import { v7 as uuidv7 } from 'uuid';
import { AuditEntry, AuditRecorder } from '#libs/audit';
import { runAs } from '#libs/context';
import { bulkUpsert, ChangeEventsSubscriber, engines, type OrmOverrides, type RowSource } from '#libs/persistence';
import { GuardedEntityManager, guardedDriver } from '#libs/tenancy';
import type { Benchmark, Comparison, Contender } from '../benchmark.js';
import { type BenchDatabase, type BenchEngine, createDatabase, reachableEngines } from '../databases.js';
import { type ImportedProduct, products, source } from './debian-packages.js';
import { DigitalProduct, Product } from './import-model.js';
import { RawImport } from './raw-import.js';

const BUDGET = 2.5;
const BATCH_SIZE = 1000;
const tenant = { id: uuidv7(), slug: 'acme' };

function asTenant<T>(work: () => Promise<T>): Promise<T> {
  return runAs({ tenant, actor: { id: 'bench', type: 'job' } }, work);
}

/** Audited like the tenants' databases of the app. */
function audited(): OrmOverrides {
  const onError = (error: unknown) => console.error(error);
  return { subscribers: [new ChangeEventsSubscriber({ subscribers: [new AuditRecorder()], onError })] };
}

const guarded: OrmOverrides = { driver: guardedDriver(engines.sqlite), entityManager: GuardedEntityManager };

function importInto(database: BenchDatabase, rows: RowSource<ImportedProduct>) {
  return asTenant(() => bulkUpsert(database.fork(), DigitalProduct, rows, { by: ['sku'], batchSize: BATCH_SIZE }));
}

/** As an upload comes: one row after the other. */
function* oneByOne<T>(rows: readonly T[]): Iterable<T> {
  yield* rows;
}

async function countRows(database: BenchDatabase, table: string): Promise<number> {
  const connection = database.orm.em.getConnection();
  const sql = `select count(*) as n from ${table} where tenant_id = ?`;
  const [row] = await asTenant(() => connection.execute<{ n: number }[]>(sql, [tenant.id]));
  return Number(row?.n);
}

const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MB`;

/** Memory that is still held after each quarter of the rows. It must not grow with them. */
async function heapWhileStreaming(database: BenchDatabase, total: number): Promise<string> {
  const held: string[] = [];
  let read = 0;
  async function* watched() {
    for await (const product of products()) {
      yield product;
      if (++read < (total / 4) * (held.length + 1)) continue;
      globalThis.gc?.();
      held.push(megabytes(process.memoryUsage().heapUsed));
    }
  }
  await importInto(database, watched());
  return `heap held while streaming from the file, at each quarter: ${held.join(', ')}`;
}

/** One database with its raw writer: SQLite allows several connections. */
async function open(engine: BenchEngine, overrides: OrmOverrides) {
  const database = await createDatabase(engine, [Product, DigitalProduct, AuditEntry], overrides);
  const raw = new RawImport(database.url.replace('sqlite:', ''), tenant.id);
  const close = async () => {
    raw.close();
    await database.close();
  };
  return { database, raw, close };
}

type Opened = Awaited<ReturnType<typeof open>>;

function createContender(name: string, { database, raw }: Opened, rows: number, run: () => unknown): Contender {
  return {
    name,
    prepare: () => raw.clear(),
    async run() {
      await run();
    },
    async verify() {
      for (const table of ['product', 'digital_product', 'audit_entry']) {
        const count = await countRows(database, table);
        if (count !== rows) throw new Error(`${name}: ${table} holds ${count} of ${rows} rows`);
      }
    },
  };
}

async function compare(engine: BenchEngine, rows: readonly ImportedProduct[]): Promise<Comparison> {
  const plain = await open(engine, audited());
  const behindGuard = await open(engine, { ...audited(), ...guarded });
  const contender = (name: string, opened: Opened, run: () => unknown) =>
    createContender(name, opened, rows.length, run);
  return {
    title: `${engine.label}: ${rows.length} products of two tables, with audit entries`,
    control: contender('driver, one transaction', plain, () => plain.raw.write(rows, rows.length)),
    contenders: [
      contender(`driver, a transaction for ${BATCH_SIZE} rows`, plain, () => plain.raw.write(rows, BATCH_SIZE)),
      contender('bulkUpsert', plain, () => importInto(plain.database, oneByOne(rows))),
      contender('bulkUpsert, guarded', behindGuard, () => importInto(behindGuard.database, oneByOne(rows))),
    ],
    budgets: { bulkUpsert: BUDGET, 'bulkUpsert, guarded': BUDGET },
    rounds: 5,
    async remarks() {
      plain.raw.clear();
      return [await heapWhileStreaming(plain.database, rows.length)];
    },
    async close() {
      await plain.close();
      await behindGuard.close();
    },
  };
}

async function* comparisons(): AsyncIterable<Comparison> {
  const engine = reachableEngines().find(({ name }) => name === 'sqlite');
  if (!engine) return;
  const rows: ImportedProduct[] = [];
  for await (const product of products()) rows.push(product);
  yield await compare(engine, rows);
}

export const importProducts: Benchmark = {
  name: 'import',
  about: `bulkUpsert of ${source} as audited digital products, beside better-sqlite3 writing the same rows`,
  comparisons,
};
