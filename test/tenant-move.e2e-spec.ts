import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { MikroORM } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { runAs } from '#libs/context';
import { CurrentEntityManager, newId, ormOptions } from '#libs/persistence';
import { type IsolationStrategyName } from '#libs/tenancy';
import {
  createTestDatabase,
  eachEngine,
  reachableEngines,
  strategiesOf,
  type TestDatabase,
  type TestEngine,
} from '#libs/testing';
import { Category } from '../apps/api/src/shop/catalogue/category.entity.js';
import { type ApiClient, withToken } from './support/api-client.js';
import { anInstallation, MovingTenant } from './support/moving-tenant.js';
import type { TestApp } from './support/test-app.js';

/** Every ordered pair of strategies once, as one walk that ends where it began. */
function everyWay(strategies: readonly IsolationStrategyName[]): IsolationStrategyName[] {
  const left = new Map(strategies.map((from) => [from, strategies.filter((to) => to !== from)]));
  const walk: IsolationStrategyName[] = [];
  const visit = (at: IsolationStrategyName) => {
    for (let next = left.get(at)?.shift(); next; next = left.get(at)?.shift()) visit(next);
    walk.unshift(at);
  };
  visit(strategies[0] as IsolationStrategyName);
  return walk;
}

/** Writes and reads without a pause until `work` is done. */
async function underLoad<T>(guest: MovingTenant, clients: readonly ApiClient[], work: () => Promise<T>): Promise<T> {
  let isOver = false;
  const loop = async (client: ApiClient) => {
    while (!isOver) {
      await guest.write(client);
      const { status } = await client.call('/v1/products?limit=1');
      // A process that has not heard of the move may ask at a place that is gone.
      if (client === guest.client) expect(status).toBe(200);
      await sleep(30);
    }
  };
  const loops = clients.map(loop);
  const result = await work().finally(() => {
    isOver = true;
  });
  await Promise.all(loops);
  return result;
}

/** On one connection, which ends afterwards. */
async function inSession(url: string, statements: readonly string[]): Promise<void> {
  const options = ormOptions(url, { entities: [], discovery: { warnWhenNoEntities: false } }, { max: 1 });
  const orm = await MikroORM.init(options);
  try {
    for (const sql of statements) await (orm.em as SqlEntityManager).execute(sql);
  } finally {
    await orm.close(true);
  }
}

describe('moving a tenant', () => {
  eachEngine((engine) => {
    const databases: TestDatabase[] = [];
    let installation: Awaited<ReturnType<typeof anInstallation>>;
    let here: TestApp;
    let there: TestApp;
    let count = 0;

    beforeAll(async () => {
      for (let n = 0; n < 2; n++) databases.push(await createTestDatabase(engine));
      const [central, shard] = databases.map(({ url }) => url) as [string, string];
      installation = await anInstallation(
        { one: shard },
        central,
        { CACHE_CHECK_MS: '0' },
        { CACHE_CHECK_MS: '30000' },
      );
      [here, there] = installation.apps as [TestApp, TestApp];
    });
    afterAll(async () => {
      await installation.close();
      for (const database of databases) await database.drop();
    });
    afterEach(() => {
      jest.restoreAllMocks();
    });

    const aGuest = (strategy: IsolationStrategyName) => MovingTenant.signUp(here, `guest-${++count}`, { strategy });

    it('loses no acknowledged write on any way between strategies, while two processes write, of which one hears of nothing', async () => {
      const [first, ...ways] = everyWay(strategiesOf(engine));
      const guest = await aGuest(first as IsolationStrategyName);
      const deaf = withToken(there.app, guest.token);
      for (const strategy of ways) {
        const before = guest.acknowledged.size;
        const { left } = await underLoad(guest, [guest.client, guest.client, deaf], () => guest.move({ strategy }));
        expect(await guest.write()).toBe(201);
        expect(guest.acknowledged.size).toBeGreaterThan(before);
        await guest.write(deaf);
        expect(await guest.record()).toMatchObject({ placement: { strategy, state: 'active' } });
        await guest.expectWhole();
        expect(left).toMatch(/^(nothing|a fence|the same place)$/);
      }
      // On MySQL and MariaDB the server may end a transaction that a trigger in the making waits for, as a deadlock.
      const expected = /^(mysql|mariadb)$/.test(engine.name)
        ? /^(503 tenant_moving|503 shard_unavailable|409 conflict)$/
        : /^503 (tenant_moving|shard_unavailable)$/;
      expect([...guest.refused].filter((it) => !expected.test(it))).toEqual([]);
      await guest.purge();
    });

    it('waits for a transaction that has written, and keeps what it commits', async () => {
      const [first, second] = [strategiesOf(engine)[0], strategiesOf(engine).at(-1)];
      const guest = await aGuest(first as IsolationStrategyName);
      const tenant = await guest.record();
      const { promise: mayCommit, resolve: commit } = Promise.withResolvers<void>();
      const { promise: hasWritten, resolve: wrote } = Promise.withResolvers<void>();
      // In another process, so that no pool stands between them.
      const writing = runAs({ tenant, actor: { id: 'spec', type: 'system' } }, () =>
        there.app
          .get(CurrentEntityManager)
          .get()
          .transactional(async (em) => {
            em.create(Category, { name: 'late' } as never);
            await em.flush();
            wrote();
            await mayCommit;
          }),
      );
      await hasWritten;
      let isMoved = false;
      const moving = guest.move({ strategy: second }).then(() => {
        isMoved = true;
      });
      // On sqlite the one who writes keeps out even the preparations.
      while (engine.name !== 'sqlite' && (await guest.record()).placement.state !== 'moving') await sleep(5);
      // Long enough for a move that waits for nobody; too short a time would only prove less.
      await sleep(500);
      expect(isMoved).toBe(false);
      commit();
      await writing;
      await moving;
      const { body } = await guest.client.call('/v1/categories');
      expect(body.data.map((it: { name: string }) => it.name)).toContain('late');
      await guest.purge();
    });
  });

  eachEngine(
    (engine) => {
      it('waits for a transaction that is prepared and whose session has ended, and keeps what it commits', async () => {
        const databases = [await createTestDatabase(engine), await createTestDatabase(engine)];
        const [central, shard] = databases.map(({ url }) => url) as [string, string];
        const installation = await anInstallation({ one: shard }, central, { CACHE_CHECK_MS: '0' });
        const [test] = installation.apps as [TestApp];
        const guest = await MovingTenant.signUp(test, 'prepared', { strategy: 'row' });
        const { id } = await guest.record();
        const xid = `'rh.${newId().replaceAll('-', '')}.one', 'spec'`;
        await inSession(shard, [
          `xa start ${xid}`,
          `insert into category values ('${id}', '${newId()}', 'late', null, 1, now(3))`,
          `xa end ${xid}`,
          `xa prepare ${xid}`,
        ]);
        let isMoved = false;
        const moving = guest.move({ strategy: 'database' }).then(() => {
          isMoved = true;
        });
        while ((await guest.record()).placement.state !== 'moving' && !isMoved) await sleep(5);
        // Long enough for a move that waits for nobody; too short a time would only prove less.
        await sleep(2_000);
        await inSession(shard, [`xa commit ${xid}`]);
        await moving;
        const { body } = await guest.client.call('/v1/categories');
        expect(body.data.map((it: { name: string }) => it.name)).toContain('late');
        await guest.purge();
        await installation.close();
        for (const database of databases) await database.drop();
      });
    },
    ['mysql', 'mariadb'],
  );

  it('crosses from engine to engine, with every kind of row', async () => {
    const engines = reachableEngines().filter(({ name }) => name !== 'mysql');
    const databases: TestDatabase[] = [];
    for (const engine of [...engines, engines[0]]) databases.push(await createTestDatabase(engine as TestEngine));
    const shards = Object.fromEntries(engines.map(({ name }, n) => [name, databases[n]?.url as string]));
    const installation = await anInstallation(shards, databases.at(-1)?.url as string, { CACHE_CHECK_MS: '0' });
    const [test] = installation.apps as [TestApp];
    const guest = await MovingTenant.signUp(test, 'traveller', { strategy: 'row', shard: engines[0]?.name });
    for (const strategy of ['row', 'database'] as const) {
      for (const { name: shard } of [...engines.slice(1), engines[0]] as TestEngine[]) {
        await guest.write();
        if (engines.length > 1 || strategy === 'database') await guest.move({ shard, strategy });
        await guest.expectWhole();
      }
    }
    await guest.purge();
    await installation.close();
    for (const database of databases) await database.drop();
  });
});
