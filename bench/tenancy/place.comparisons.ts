import { notStrictEqual } from 'node:assert';
import { copyFileSync } from 'node:fs';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { runAs, runInContext } from '#libs/context';
import { runInSystemFrame } from '#libs/persistence';
import { type IsolationStrategyName, strategyEngines, strategyNames, TenantDatabases } from '#libs/tenancy';
import { Product } from '../../apps/api/src/shop/catalogue/product.entity.js';
import { SignUpService } from '../../apps/api/src/tenants/sign-up.service.js';
import type { Comparison, Contender } from '../benchmark.js';
import type { BenchEngine } from '../databases.js';
import { repeatAtOnce } from './repeat-at-once.js';
import { addBook, openTenantApp, type PlacedTenant, placeTenant, request, type TenantApp } from './tenant-app.js';

/** As many as in `rowReads`, and for the same reason. */
const READS = 4_000;
const OPENINGS = 5_000;
const EVICTED = 1_000;
const REOPENED = 50;
const SIGN_UPS = 5;
const BUDGETS: Readonly<Partial<Record<IsolationStrategyName, number>>> = { row: 1.05, 'search-path': 1.1 };
const WITHOUT = 'without tenancy';

const strategiesOf = ({ name }: BenchEngine) => strategyNames.filter((it) => strategyEngines[it].includes(name));

/** A whole request's work, but for HTTP: a context, a unit of work at the tenant's place, one product by its key. */
export async function compareStrategies(engine: BenchEngine): Promise<Comparison> {
  const it = await openTenantApp(engine);
  const rows: { strategy: IsolationStrategyName; tenant: PlacedTenant; id: string }[] = [];
  for (const strategy of strategiesOf(engine)) {
    const tenant = await placeTenant(it, strategy);
    rows.push({ strategy, tenant, id: await addBook(it, tenant) });
  }
  const [{ tenant, id }] = rows as [(typeof rows)[number]];
  const readBare = () => (it.bare.em.fork() as SqlEntityManager).findOne(Product, { tenantId: tenant.id, id });
  const repeated = (name: string, read: () => Promise<unknown>): Contender => ({
    name,
    run: () => repeatAtOnce(READS, async () => notStrictEqual(await read(), null)),
  });
  return {
    title: `${engine.label}: ${READS} × one product by its key, CPU without the server`,
    by: 'cpu',
    rounds: 11,
    warmUpRounds: 4,
    control: repeated(WITHOUT, () => runAs({ tenant, actor: { id: 'bench', type: 'job' } }, readBare)),
    contenders: rows.map(({ strategy, tenant, id }) =>
      repeated(strategy, () => request(it, tenant, (em) => em.findOne(Product, { id } as never))),
    ),
    budgets: BUDGETS as Record<string, number>,
    close: () => it.close(),
  };
}

/** What it takes to get a unit of work where the pool is open. */
export async function compareOpenings(engine: BenchEngine): Promise<Comparison> {
  const it = await openTenantApp(engine);
  const tenants: [IsolationStrategyName, PlacedTenant][] = [];
  for (const strategy of strategiesOf(engine)) tenants.push([strategy, await placeTenant(it, strategy)]);
  for (const [, tenant] of tenants) await addBook(it, tenant);
  const [[, first]] = tenants as [[IsolationStrategyName, PlacedTenant]];
  const opened = new Map<string, number>();
  const repeated = (name: string, open: () => Promise<unknown>): Contender => ({
    name,
    async run() {
      const start = performance.now();
      for (let n = 0; n < OPENINGS; n++) await open();
      opened.set(name, Math.min(opened.get(name) ?? Infinity, ((performance.now() - start) / OPENINGS) * 1000));
    },
  });
  return {
    title: `${engine.label}: ${OPENINGS} × a context and an EntityManager, its pool open`,
    control: repeated('em.fork() in a context', () =>
      runAs({ tenant: first, actor: { id: 'bench', type: 'job' } }, async () => it.bare.em.fork()),
    ),
    contenders: tenants.map(([strategy, tenant]) => repeated(strategy, () => request(it, tenant, () => undefined))),
    remarks: () =>
      [...opened].map(
        ([name, us]) => `${name}: ${us.toFixed(1)} µs each, at best (budget 20 µs ${us <= 20 ? 'ok' : 'MISSED'})`,
      ),
    close: () => it.close(),
  };
}

/** Tenants with a database of their own that are not used any more: what they leave in memory, and what coming back takes. */
export async function compareEvicted(engine: BenchEngine): Promise<Comparison> {
  const it = await openTenantApp(engine);
  const template = await placeTenant(it, 'database');
  const id = await addBook(it, template);
  const read = (tenant: PlacedTenant) => request(it, tenant, (em) => em.findOne(Product, { id } as never));
  const tenants = await copiesOf(it, template);
  for (const tenant of tenants.slice(0, 100)) await read(tenant);
  const before = heap();
  for (const tenant of tenants) await read(tenant);
  const kept = (heap() - before) / (EVICTED - 100) / 1024;
  let at = 0;
  let reopenMs = Infinity;
  return {
    title: `${engine.label}: ${REOPENED} × the first read in a database of a tenant's own`,
    control: {
      name: 'which is open',
      async run() {
        for (let n = 0; n < REOPENED; n++) await read(template);
      },
    },
    contenders: [
      {
        name: 'which was evicted',
        async run() {
          const start = performance.now();
          for (let n = 0; n < REOPENED; n++) await read(tenants[at++ % EVICTED] as PlacedTenant);
          reopenMs = Math.min(reopenMs, (performance.now() - start) / REOPENED);
        },
      },
    ],
    remarks: () => [
      `${kept.toFixed(1)} KB of heap for each of ${EVICTED} evicted (budget 20 KB ${kept <= 20 ? 'ok' : 'MISSED'})`,
      `${reopenMs.toFixed(2)} ms to come back (budget 5 ms ${reopenMs <= 5 ? 'ok' : 'MISSED'})`,
    ],
    close: () => it.close(),
  };
}

/** Places of the database strategy on sqlite are files: copied, a thousand take seconds. */
async function copiesOf(it: TenantApp, template: PlacedTenant): Promise<PlacedTenant[]> {
  const databases = it.app.get(TenantDatabases);
  const fileOf = ({ placement }: PlacedTenant) =>
    databases.databaseUrl('shard-1', placement.databaseName ?? '').replace('sqlite:', '');
  await runInSystemFrame('complete the file', () =>
    request(it, template, (em) => em.execute('pragma wal_checkpoint(truncate)')),
  );
  const copies: PlacedTenant[] = [];
  for (let n = 0; n < EVICTED; n++) {
    const tenant = await placeTenant(it, 'database', false);
    copyFileSync(fileOf(template), fileOf(tenant));
    copies.push(tenant);
  }
  return copies;
}

function heap(): number {
  for (let n = 0; n < 4; n++) globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

/** Sign-up with a schema of the tenant's own, beside one in shared tables. Both hash a password. */
export async function compareSignUps(engine: BenchEngine): Promise<Comparison> {
  const it = await openTenantApp(engine);
  const signUps = it.app.get(SignUpService, { strict: false });
  let count = 0;
  const best = new Map<string, number>();
  const signUp = (strategy: 'row' | 'schema'): Contender => ({
    name: strategy,
    async run() {
      for (let n = 0; n < SIGN_UPS; n++) {
        const slug = `bench-${strategy}-${count++}`;
        const owner = { email: `o@${slug}.example`, password: `password of ${slug}`, name: 'O' };
        const start = performance.now();
        await runInContext({}, () => signUps.signUp({ slug, name: slug, owner }, { strategy }));
        best.set(strategy, Math.min(best.get(strategy) ?? Infinity, performance.now() - start));
      }
    },
  });
  return {
    title: `${engine.label}: ${SIGN_UPS} sign-ups`,
    rounds: 5,
    control: signUp('row'),
    contenders: [signUp('schema')],
    remarks: () => {
      const ms = best.get('schema') ?? Number.NaN;
      const row = best.get('row') ?? Number.NaN;
      return [
        `${ms.toFixed(0)} ms with a schema at best, ${row.toFixed(0)} ms in shared tables (budget 60 ms ${ms <= 60 ? 'ok' : 'MISSED'})`,
      ];
    },
    close: () => it.close(),
  };
}
