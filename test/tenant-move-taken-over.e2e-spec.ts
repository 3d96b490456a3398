import { rm } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { MikroORM } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { TenantMoveService } from '#apps/api';
import { runInContext } from '#libs/context';
import { ormOptions } from '#libs/persistence';
import { type IsolationStrategyName, PlaceMover } from '#libs/tenancy';
import { createTestDatabase, eachEngine, strategiesOf, type TestDatabase } from '#libs/testing';
import { anInstallation, MovingTenant } from './support/moving-tenant.js';
import type { TestApp } from './support/test-app.js';

/** What takes the lock from whoever holds it, as a cut connection does, and as nobody can on SQLite. */
async function cutTheLock(url: string): Promise<void> {
  if (url.startsWith('sqlite')) return rm(`${url.slice('sqlite:'.length)}.rowhouse-migrations.lock`);
  const options = ormOptions(url, { entities: [], discovery: { warnWhenNoEntities: false } }, { max: 1 });
  const orm = await MikroORM.init(options);
  const em = orm.em as SqlEntityManager;
  if (url.startsWith('postgres')) {
    const here = '(select oid from pg_database where datname = current_database())';
    await em.execute(
      `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted and database = ${here}`,
    );
  } else {
    const [row] = await em.execute<{ id: number }[]>(
      `select is_used_lock(sha1(concat(database(), 'rowhouse migrations'))) as id`,
    );
    await em.execute(`kill ${Number(row?.id)}`);
  }
  await orm.close(true);
}

describe('a mover that has lost the lock', () => {
  eachEngine((engine) => {
    const databases: TestDatabase[] = [];
    let installation: Awaited<ReturnType<typeof anInstallation>>;
    let here: TestApp;
    let there: TestApp;
    let count = 0;
    const own = strategiesOf(engine).at(-1) as IsolationStrategyName;

    beforeAll(async () => {
      for (let n = 0; n < 2; n++) databases.push(await createTestDatabase(engine));
      const [central, shard] = databases.map(({ url }) => url) as [string, string];
      const environment = { CACHE_CHECK_MS: '0' };
      installation = await anInstallation({ one: shard }, central, environment, environment);
      [here, there] = installation.apps as [TestApp, TestApp];
    });
    afterAll(async () => {
      await installation.close();
      for (const database of databases) await database.drop();
    });
    afterEach(() => {
      jest.restoreAllMocks();
    });

    const aGuest = () => MovingTenant.signUp(here, `guest-${++count}`, { strategy: 'row' });
    const moveThere = (slug: string, strategy: IsolationStrategyName) =>
      runInContext({ actor: { id: 'spec', type: 'system' } }, () =>
        there.app.get(TenantMoveService).move(slug, { strategy }, { settleMs: 0 }),
      );
    /** The next mover of this process stands still at the question whether two places are one. */
    const standStill = (answer?: boolean) => {
      const { promise: isStill, resolve: stand } = Promise.withResolvers<void>();
      const { promise: mayGoOn, resolve: goOn } = Promise.withResolvers<void>();
      const mover = here.app.get(PlaceMover);
      const ask = mover.isSameStorage.bind(mover);
      return {
        isStill,
        goOn,
        begin: () => {
          jest.spyOn(mover, 'isSameStorage').mockImplementationOnce(async (...places) => {
            stand();
            await mayGoOn;
            return answer ?? ask(...places);
          });
        },
      };
    };

    it('copies nothing over the rows of one who has gone on and come to the end', async () => {
      const guest = await aGuest();
      await guest.write();
      const { isStill, goOn, begin } = standStill();
      begin();
      const moving = guest.move({ strategy: own }).catch((error: unknown) => error);
      await isStill;
      await cutTheLock(databases[0]?.url as string);
      await moveThere(guest.slug, own);
      expect(await guest.write()).toBe(201);
      goOn();
      expect(await moving).toMatchObject({ code: expect.any(String) });
      expect(await guest.write()).toBe(201);
      await guest.expectWhole();
      await guest.purge();
    });

    it('empties no place that the tenant has come back to', async () => {
      const guest = await aGuest();
      await guest.write();
      await guest.move({ strategy: own }, { settleMs: 0, keepOld: true });
      const { isStill, goOn, begin } = standStill(false);
      begin();
      const clearing = guest.move({ strategy: own }).catch((error: unknown) => error);
      await isStill;
      await cutTheLock(databases[0]?.url as string);
      await moveThere(guest.slug, own);
      await moveThere(guest.slug, 'row');
      expect(await guest.write()).toBe(201);
      goOn();
      expect(await clearing).toMatchObject({ code: 'tenant_move_refused' });
      expect(await guest.write()).toBe(201);
      await guest.expectWhole();
      await guest.purge();
    });
  });
});
