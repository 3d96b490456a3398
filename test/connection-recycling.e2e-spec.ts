import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DEMO_OPERATOR } from '#apps/api';
import { currentContext, runAs, runInContext } from '#libs/context';
import { runInSystemFrame } from '#libs/persistence';
import { IsolationStrategies, type IsolationStrategyName, placementOf, TenantStore } from '#libs/tenancy';
import { createTestDatabase, eachEngine, type TestDatabase } from '#libs/testing';
import { logIn, withToken } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

/** A connection remembers each table it has seen, some 14 KB: those that see the schemas of many tenants must not grow old. */
const LONGEST = 500;
const PID = 'select pg_backend_pid() as pid';

describe('connections that reach the tables of many tenants', () => {
  eachEngine(
    (engine) => {
      let database: TestDatabase;
      let test: TestApp;
      beforeAll(async () => {
        database = await createTestDatabase(engine);
        test = await startTestApp({ SHARDS: `one=${database.url}`, POOL_MAX: '1' });
        const operator = withToken(test.app, await logIn(test.app, DEMO_OPERATOR.email, DEMO_OPERATOR.password));
        for (const strategy of ['row', 'schema', 'search-path']) {
          for (const n of [1, 2, 3]) {
            const slug = `${strategy}-${'abc'[n - 1]}`;
            const owner = { email: `o@${slug}.example`, password: 'long enough', name: 'Olga' };
            const body = { slug, name: slug, owner, placement: { strategy, shard: 'one' } };
            expect((await operator.call('/v1/platform/tenants', { body })).status).toBe(201);
          }
        }
      });
      afterAll(async () => {
        await test.close();
        await database.drop();
      });

      /** Units of work of three tenants in turn: who on the server has served each. */
      async function serve(strategy: IsolationStrategyName, units: number): Promise<number[]> {
        const slugs = ['a', 'b', 'c'].map((letter) => `${strategy}-${letter}`);
        const store = test.app.get(TenantStore);
        const tenants = await runInContext({}, () => Promise.all(slugs.map((slug) => store.getBySlug(slug))));
        const served: number[] = [];
        for (let n = 0; n < units; n++) {
          const tenant = tenants[n % 3] as (typeof tenants)[number];
          await runAs({ tenant, actor: { id: 'spec', type: 'system' } }, async () => {
            const placement = placementOf(tenant);
            if (!placement) throw new Error('It has no placement.');
            const { entityManager, revert } = test.app.get(IsolationStrategies).apply(placement);
            currentContext().onEnd(revert);
            const [row] = await runInSystemFrame('spec', () => entityManager.execute<{ pid: number }[]>(PID));
            served.push(row?.pid as number);
          });
        }
        return served;
      }

      const uses = (served: readonly number[]) =>
        [...Map.groupBy(served, (pid) => pid).values()].map(({ length }) => length);

      it.each(['schema', 'search-path'] as const)(
        'are closed after some use, and others opened: %s',
        async (strategy) => {
          const counts = uses(await serve(strategy, 2 * LONGEST + 10));
          expect(Math.max(...counts)).toBeLessThanOrEqual(LONGEST);
          expect(counts.length).toBeGreaterThanOrEqual(3);
        },
      );

      it('are kept where all tenants share the same tables', async () => {
        expect(uses(await serve('row', LONGEST + 10))).toEqual([LONGEST + 10]);
      });
    },
    ['postgresql'],
  );
});
