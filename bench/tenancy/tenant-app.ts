import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import type { INestApplicationContext } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { createAppContext, prepareData, readConfig, tenantModel } from '#apps/api';
import { type ContextTenant, runAs } from '#libs/context';
import { CurrentEntityManager, Money, ormOptions } from '#libs/persistence';
import { IsolationStrategies, type IsolationStrategyName, type Placement } from '#libs/tenancy';
import { Book } from '../../apps/api/src/shop/catalogue/book.entity.js';
import { type BenchEngine, createEmpty } from '../databases.js';
import { UnguardedEntityManager } from './tenant-databases.js';

/** The application without HTTP, on one shard of its own. */
export interface TenantApp {
  readonly app: INestApplicationContext;
  /** The shard's tables, open with nothing that keeps tenants apart. */
  readonly bare: MikroORM<AbstractSqlDriver>;
  readonly strategies: IsolationStrategies;
  close(): Promise<void>;
}

export interface PlacedTenant extends ContextTenant {
  readonly placement: Placement;
}

export async function openTenantApp(engine: BenchEngine, environment: Record<string, string> = {}): Promise<TenantApp> {
  const dataDir = mkdtempSync(join(tmpdir(), 'rowhouse-bench-'));
  const { url, drop } = await createEmpty(engine);
  const config = readConfig({
    NODE_ENV: 'test',
    DATA_DIR: dataDir,
    LOG_LEVEL: 'silent',
    SEED_DEMO: 'false',
    SHARDS: `shard-1=${url}`,
    DATABASE_ROLE: 'rowhouse_bench_app',
    ...environment,
  });
  const app = await createAppContext(config);
  await prepareData(app as never, config, () => {});
  const entityManager = UnguardedEntityManager as unknown as typeof SqlEntityManager;
  const bare = await MikroORM.init<AbstractSqlDriver>(ormOptions(url, { ...tenantModel(engine), entityManager }));
  return {
    app,
    bare,
    strategies: app.get(IsolationStrategies),
    async close() {
      await bare.close(true);
      await app.close();
      await drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** A tenant with a place, which `provision` makes unless told otherwise. */
export async function placeTenant(
  { strategies }: TenantApp,
  strategy: IsolationStrategyName,
  provision = true,
): Promise<PlacedTenant> {
  const id = uuidv7();
  const it = strategies.get(strategy, 'shard-1');
  const names = it.nameFor(id);
  const placement: Placement = { tenantId: id, strategy, shardId: 'shard-1', ...names, epoch: 1, state: 'active' };
  if (provision) await it.provision(placement);
  return { id, slug: `bench-${id.slice(-12)}`, placement };
}

/** One request's worth of work for a tenant: a context, a unit of work at the tenant's place, and its end. */
export function request<T>({ app }: TenantApp, tenant: PlacedTenant, work: (em: SqlEntityManager) => T): Promise<T> {
  const entityManagers = app.get(CurrentEntityManager);
  return runAs({ tenant, actor: { id: 'bench', type: 'job' } }, async () => work(entityManagers.get()));
}

/** Adds one product; gives its id. */
export async function addBook(it: TenantApp, tenant: PlacedTenant): Promise<string> {
  return request(it, tenant, async (em) => {
    const price = new Money(100, 'EUR');
    const book = new Book({ sku: uuidv7(), name: 'A book', price, isbn: '9783161484100' });
    em.persist(book);
    await em.flush();
    return book.id;
  });
}
