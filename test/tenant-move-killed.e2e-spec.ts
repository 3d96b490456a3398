import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type IsolationStrategyName } from '#libs/tenancy';
import { createTestDatabase, eachEngine, strategiesOf, type TestDatabase } from '#libs/testing';
import { forkSource } from './support/fork-source.js';
import { anInstallation, MovingTenant } from './support/moving-tenant.js';
import type { TestApp } from './support/test-app.js';

/** Those of `support/mover-child.ts`, in which a process is killed. */
const STEPS = [
  'before the first fence',
  'between two parts of a fence',
  'in a page of the copy',
  'after the copy',
  'after the switch',
  'after the new place was opened',
  'after the old place was cleared',
] as const;

/** Locks, transactions and connections end as an operating system ends them. */
describe('a move whose process is killed', () => {
  eachEngine(
    (engine) => {
      const databases: TestDatabase[] = [];
      let installation: Awaited<ReturnType<typeof anInstallation>>;
      let here: TestApp;
      let count = 0;
      const ends = [strategiesOf(engine)[0], strategiesOf(engine).at(-1)] as [
        IsolationStrategyName,
        IsolationStrategyName,
      ];

      beforeAll(async () => {
        for (let n = 0; n < 2; n++) databases.push(await createTestDatabase(engine));
        const [central, shard] = databases.map(({ url }) => url) as [string, string];
        installation = await anInstallation({ one: shard }, central, { CACHE_CHECK_MS: '0' });
        here = installation.apps[0] as TestApp;
      });
      afterAll(async () => {
        await installation.close();
        for (const database of databases) await database.drop();
      });

      it.each(STEPS)('%s is whole at one place, and comes to its end when it is asked for again', async (step) => {
        const [from, to] = count % 2 === 0 ? ends : ends.toReversed();
        const guest = await MovingTenant.signUp(here, `guest-${++count}`, { strategy: from });
        await guest.write();
        const { environment } = installation;
        const move = { environment, slug: guest.slug, wanted: { strategy: to }, step };
        const child = forkSource(new URL('./support/mover-child.ts', import.meta.url), { MOVE: JSON.stringify(move) });
        expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
        expect(await guest.skus()).toEqual(['sku-1', 'tea']);
        await guest.write();
        await guest.move({ strategy: to });
        expect(await guest.record()).toMatchObject({ placement: { strategy: to, state: 'active' } });
        expect(await guest.write()).toBe(201);
        await guest.expectWhole();
        await guest.purge();
      });
    },
    ['sqlite', 'postgresql', 'mariadb'],
  );
});
