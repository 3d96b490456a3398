import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import {
  type AppConfig,
  createApp,
  DatabaseMigrator,
  DEMO_OPERATOR,
  MigrationStates,
  prepareData,
  readConfig,
} from '#apps/api';
import { migrationsOf } from '#database/migrations';
import { runAs, runInContext } from '#libs/context';
import { CentralEntityManager, ormOptions, runAlone, runInSystemFrame } from '#libs/persistence';
import {
  IsolationStrategies,
  type IsolationStrategyName,
  PlacementRecord,
  strategyEngines,
  type TenantRecord,
  TenantStore,
} from '#libs/tenancy';
import { createTestDatabase, eachEngine, type TestDatabase, type TestEngine } from '#libs/testing';
import { LatePlaces } from '../apps/api/src/storage/late-places.js';
import { ApiClient, logIn, withToken } from './support/api-client.js';

/** Where the tenants of a world have tables of their own: schemas where there are any. */
const OWN_PLACE: Readonly<Record<TestEngine['name'], IsolationStrategyName>> = {
  sqlite: 'database',
  mysql: 'database',
  mariadb: 'schema',
  postgresql: 'schema',
};

const strategies = Object.keys(strategyEngines) as IsolationStrategyName[];

type App = Awaited<ReturnType<typeof createApp>>;

/** Databases that outlive the application, as between two releases. */
async function withConfig(engine: TestEngine, fn: (config: AppConfig) => Promise<void>): Promise<void> {
  const databases: TestDatabase[] = [await createTestDatabase(engine), await createTestDatabase(engine)];
  const [central, shard] = databases.map(({ url }) => url);
  const dataDir = mkdtempSync(join(tmpdir(), 'rowhouse-migrations-'));
  const variables = { DATA_DIR: dataDir, CENTRAL_URL: central, SHARDS: `shard-1=${shard}` };
  try {
    await fn(readConfig({ NODE_ENV: 'test', LOG_LEVEL: 'silent', SEED_DEMO: 'false', ...variables }));
  } finally {
    if (engine.name !== 'sqlite') await dropPlaces(engine, String(central));
    for (const database of databases) await database.drop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Databases that tenants were given on the server: they are in no database of this spec's, and nobody else knows their names. */
async function dropPlaces({ name }: TestEngine, central: string): Promise<void> {
  const options = ormOptions(central, { entities: [], discovery: { warnWhenNoEntities: false } }, { max: 1 });
  const orm = await MikroORM.init<AbstractSqlDriver>(options);
  try {
    // Only on MySQL and MariaDB is a schema a database.
    const column = name === 'postgresql' ? 'database_name' : 'coalesce(database_name, schema_name)';
    const sql = `select ${column} as place from placement where ${column} is not null`;
    for (const { place } of await orm.em.getConnection().execute<{ place: string }[]>(sql)) {
      await orm.em.getConnection().execute(`drop database if exists ${place}`);
    }
  } finally {
    await orm.close(true);
  }
}

async function withApp<T>(config: AppConfig, fn: (app: App, said: string[]) => Promise<T>): Promise<T> {
  const app = await createApp(config);
  const said: string[] = [];
  try {
    await prepareData(app, config, (line) => said.push(line));
    return await fn(app, said);
  } finally {
    await app.close();
  }
}

async function signUp(app: App, slug: string, strategy: IsolationStrategyName): Promise<void> {
  const operator = withToken(app, await logIn(app, DEMO_OPERATOR.email, DEMO_OPERATOR.password));
  const owner = { email: `owner@${slug}.example`, password: `password of ${slug}`, name: 'Olga' };
  const { status } = await operator.call('/v1/platform/tenants', {
    body: { slug, name: slug, owner, placement: { strategy } },
  });
  expect(status).toBe(201);
}

async function clientOf(app: App, slug: string): Promise<ApiClient> {
  return withToken(app, await logIn(app, `owner@${slug}.example`, `password of ${slug}`));
}

function recordOf(app: App, slug: string): Promise<TenantRecord> {
  return runInContext({}, () => app.get(TenantStore).getBySlug(slug));
}

/** Sends SQL of the kit itself at a tenant's place. */
async function atPlace(app: App, slug: string, sqlOf: (table: string) => string): Promise<void> {
  const tenant = await recordOf(app, slug);
  const { schemaName } = tenant.placement;
  await runAs({ tenant, actor: { id: 'spec', type: 'system' } }, async () => {
    const { entityManager, revert } = app.get(IsolationStrategies).apply(tenant.placement);
    const table = schemaName ? `${schemaName}.mikro_orm_migrations` : 'mikro_orm_migrations';
    await runInSystemFrame('spec', () => (entityManager as SqlEntityManager).execute(sqlOf(table)));
    revert();
  });
}

describe('migrations of tenants that have a place of their own', () => {
  eachEngine((engine) => {
    const strategy = OWN_PLACE[engine.name];

    it('name the tenant whose place cannot be brought up to date, serve all others, and catch up once it can', async () => {
      await withConfig(engine, async (config) => {
        await withApp(config, async (app) => {
          await signUp(app, 'behind', strategy);
          await signUp(app, 'fine', strategy);
          await signUp(app, 'shared', 'row');
          // As if a migration had been half done by hand: its tables are there, and nobody has noted it.
          await atPlace(app, 'behind', (table) => `delete from ${table} where name like '%Initial'`);
        });
        await withApp(config, async (app, said) => {
          expect(said).toEqual([expect.stringMatching(/^Database tenant behind: could not be brought up to date/)]);
          for (const slug of ['fine', 'shared']) {
            expect((await (await clientOf(app, slug)).call('/v1/products')).status).toBe(200);
          }
          const owner = await clientOf(app, 'behind');
          expect(await owner.call('/v1/products')).toMatchObject({ status: 503, body: { code: 'shard_unavailable' } });
          await makeAnew(app, 'behind');
          // By itself, without a restart.
          while ((await owner.call('/v1/products')).status !== 200) await sleep(50);
        });
      });
    });

    it('are told place by place: what has run, what waits, and where it cannot be read', async () => {
      await withConfig(engine, async (config) => {
        await withApp(config, async (app) => {
          const own = strategies.filter((name) => name !== 'row' && strategyEngines[name].includes(engine.name));
          for (const name of own) await signUp(app, `fine-${name}`, name);
          for (const slug of ['behind', 'gone']) await signUp(app, slug, strategy);
          await signUp(app, 'shared', 'row');
          await atPlace(app, 'behind', (table) => `delete from ${table} where name like '%Catalogue'`);
          const { placement } = await recordOf(app, 'gone');
          await app.get(IsolationStrategies).get(strategy, placement.shardId).drop(placement);
          const all = migrationsOf('tenant', engine.name).map(({ name }) => name);
          const isCatalogue = (name: string) => name.endsWith('Catalogue');
          const states = await runInContext({}, () => app.get(MigrationStates).read());
          expect(states).toEqual([
            { id: 'central', ran: migrationsOf('central', engine.name).map(({ name }) => name), pending: [] },
            { id: 'shard-1', ran: all, pending: [] },
            ...own.map((name) => ({ id: `tenant fine-${name}`, ran: all, pending: [] })),
            {
              ...{ id: 'tenant behind', ran: all.filter((name) => !isCatalogue(name)) },
              pending: all.filter(isCatalogue),
            },
            { id: 'tenant gone', ran: [], pending: [], error: expect.anything() },
          ]);
          // To read is not to repair: a place that is gone is no emptier one now.
          const again = await runInContext({}, () => app.get(MigrationStates).read());
          expect(again.at(-1)?.error).toBeDefined();
        });
      });
    });

    it('wait for those that another process runs', async () => {
      await withConfig(engine, async (config) => {
        await withApp(config, async (app) => {
          await signUp(app, 'waiting', strategy);
          const { placement } = await recordOf(app, 'waiting');
          const ended: string[] = [];
          let waiting: Promise<unknown> | undefined;
          await runAlone(config.centralUrl, 'rowhouse migrations', async () => {
            const migrating = app.get(DatabaseMigrator).migratePlaces(() => false);
            waiting = migrating.then(() => ended.push('this one'));
            await app.get(IsolationStrategies).migrate(placement);
            ended.push('the other one');
          });
          await waiting;
          expect(ended).toEqual(['the other one', 'this one']);
        });
      });
    });

    it('are tried again where a tenant is when their turn comes, not where it was before', async () => {
      await withConfig(engine, async (config) => {
        await withApp(config, async (app) => {
          await signUp(app, 'leaving', strategy);
          const { placement } = await recordOf(app, 'leaving');
          const strategies = app.get(IsolationStrategies);
          const asked = jest.spyOn(app.get(DatabaseMigrator), 'migratePlaces');
          const tried = jest.spyOn(strategies, 'migrate');
          await runAlone(config.centralUrl, 'rowhouse migrations', async () => {
            await strategies.get(strategy, placement.shardId).drop(placement);
            await expect(strategies.migrate(placement)).rejects.toThrow();
            tried.mockClear();
            app.get(LatePlaces).watch(0);
            while (asked.mock.calls.length === 0) await sleep(5);
            await runInContext({}, async () => {
              const em = app.get(CentralEntityManager).get();
              const names = { schemaName: null, databaseName: null };
              await em.nativeUpdate(PlacementRecord, { tenantId: placement.tenantId }, { strategy: 'row', ...names });
            });
          });
          await asked.mock.results[0]?.value;
          expect(tried).not.toHaveBeenCalled();
          jest.restoreAllMocks();
        });
      });
    });

    it('run once when several instances start at the same time for the first time', async () => {
      await withConfig(engine, async (config) => {
        const starts = [1, 2, 3].map(() => withApp(config, async (_, said) => said));
        const said = (await Promise.all(starts)).map((lines) => lines.filter((line) => /ran \d+ migration/.test(line)));
        expect(said.map(({ length }) => length).sort()).toEqual([0, 0, 2]);
      });
    });
  });
});

/** As an operator would after a restore. */
async function makeAnew(app: App, slug: string): Promise<void> {
  const tenant = await recordOf(app, slug);
  const strategy = app.get(IsolationStrategies).get(tenant.placement.strategy, tenant.placement.shardId);
  await strategy.drop(tenant.placement);
  await strategy.provision(tenant.placement);
}
