import { symlink } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OrphansService } from '#apps/api';
import { runInContext } from '#libs/context';
import { type IsolationStrategyName } from '#libs/tenancy';
import { createTestDatabase, eachEngine, strategiesOf, type TestDatabase } from '#libs/testing';
import { anInstallation, MovingTenant } from './support/moving-tenant.js';
import type { TestApp } from './support/test-app.js';

/** Another way to write where a database is. */
async function aliasOf(url: string): Promise<string> {
  if (!url.startsWith('sqlite')) {
    const alias = new URL(url);
    alias.hostname = alias.hostname === 'localhost' ? '127.0.0.1' : 'localhost';
    return alias.href;
  }
  const alias = url.replace(/\.sqlite$/, '-alias.sqlite');
  await symlink(url.slice('sqlite:'.length), alias.slice('sqlite:'.length));
  return alias;
}

describe('two shards that are one database', () => {
  eachEngine((engine) => {
    const databases: TestDatabase[] = [];
    let installation: Awaited<ReturnType<typeof anInstallation>>;
    let test: TestApp;
    let count = 0;
    const own = strategiesOf(engine).at(-1) as IsolationStrategyName;
    const aGuest = () => MovingTenant.signUp(test, `guest-${++count}`, { strategy: 'row', shard: 'one' });
    const left = async (slug: string) => {
      const orphans = await runInContext({}, () => test.app.get(OrphansService).list());
      return orphans.filter(({ name }) => name === slug).map(({ kind }) => kind);
    };

    beforeAll(async () => {
      for (let n = 0; n < 2; n++) databases.push(await createTestDatabase(engine));
      const [central, one] = databases.map(({ url }) => url) as [string, string];
      const shards = { one, alias: await aliasOf(one) };
      installation = await anInstallation(shards, central, { CACHE_CHECK_MS: '0' });
      test = installation.apps[0] as TestApp;
    });
    afterAll(async () => {
      await installation.close();
      for (const database of databases) await database.drop();
    });

    it('are found out before rows are copied onto themselves and removed', async () => {
      const guest = await aGuest();
      await guest.write();
      await expect(guest.move({ shard: 'alias' })).rejects.toMatchObject({ code: 'tenant_move_refused' });
      expect(await guest.record()).toMatchObject({ placement: { shardId: 'one', state: 'active' } });
      expect(await guest.write()).toBe(201);
      await guest.expectWhole();
      await guest.purge();
    });

    it('are found out when a tenant comes back by the other name to rows that were kept', async () => {
      const guest = await aGuest();
      await guest.write();
      await guest.move({ strategy: own }, { settleMs: 0, keepOld: true });
      expect(await left(guest.slug)).toEqual(['old place']);
      await guest.move({ strategy: 'row', shard: 'alias' });
      expect(await left(guest.slug)).toEqual([]);
      expect(await guest.write()).toBe(201);
      await guest.expectWhole();
      await guest.purge();
    });
  });
});
