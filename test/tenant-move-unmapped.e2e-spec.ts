import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runAs } from '#libs/context';
import { runInSystemFrame } from '#libs/persistence';
import { IsolationStrategies } from '#libs/tenancy';
import { createTestDatabase, eachEngine, strategiesOf, type TestDatabase } from '#libs/testing';
import { anInstallation, MovingTenant } from './support/moving-tenant.js';
import type { TestApp } from './support/test-app.js';

describe('what no entity maps, at a place of a tenant’s own', () => {
  eachEngine((engine) => {
    const databases: TestDatabase[] = [];
    let installation: Awaited<ReturnType<typeof anInstallation>>;
    let test: TestApp;

    beforeAll(async () => {
      for (let n = 0; n < 2; n++) databases.push(await createTestDatabase(engine));
      const [central, shard] = databases.map(({ url }) => url) as [string, string];
      installation = await anInstallation({ one: shard }, central, { CACHE_CHECK_MS: '0' });
      test = installation.apps[0] as TestApp;
    });
    afterAll(async () => {
      await installation.close();
      for (const database of databases) await database.drop();
    });

    /** `table(name)` is how SQL reaches a table of the guest's place. */
    const atPlace = async (guest: MovingTenant, sql: (table: (name: string) => string) => string) => {
      const tenant = await guest.record();
      const { strategy, shardId } = tenant.placement;
      const { entityManager: em, revert } = test.app
        .get(IsolationStrategies)
        .get(strategy, shardId)
        .apply(tenant.placement);
      await runAs({ tenant, actor: { id: 'spec', type: 'system' } }, () =>
        runInSystemFrame('spec', () =>
          em.getConnection().execute(sql((name) => (em.schema === undefined ? name : `${em.schema}.${name}`))),
        ),
      );
      revert();
    };

    it.each(strategiesOf(engine).filter((strategy) => strategy !== 'row'))(
      'keeps a tenant from leaving %s while it holds values, which would be lost',
      async (strategy) => {
        const guest = await MovingTenant.signUp(test, `guest-${strategy}`, { strategy });
        const refusalOf = async () => {
          const error = await guest.move({ strategy: 'row' }).catch((reason: Error) => reason);
          expect(error).toMatchObject({ code: 'tenant_move_refused' });
          return String(error);
        };
        await atPlace(guest, (table) => `create table ${table('leftover')} (note varchar(20))`);
        await atPlace(guest, (table) => `insert into ${table('leftover')} values ('mine')`);
        expect(await refusalOf()).toContain('leftover holds values');
        await atPlace(guest, (table) => `delete from ${table('leftover')}`);
        await atPlace(guest, (table) => `alter table ${table('wallet')} add column colour varchar(20)`);
        await atPlace(guest, (table) => `update ${table('wallet')} set colour = 'red'`);
        expect(await refusalOf()).toContain('wallet.colour holds values');
        expect(await guest.write()).toBe(201);
        await guest.move({ strategy: 'row' }, { settleMs: 0, keepOld: true });
        await guest.expectWhole();
        await guest.purge();
      },
    );
  });
});
