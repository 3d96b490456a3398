import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type SqlEntityManager, SqlEntityManager as Unguarded } from '@mikro-orm/sql';
import { engines } from '#libs/persistence';
import { IsolationStrategies, type IsolationStrategyName, type TenantOrm } from '#libs/tenancy';
import {
  aStrategyWorld,
  Book,
  Category,
  eachStrategy,
  type PlacedTestTenant,
  shopModel,
  Tag,
  TestTenantDatabases,
} from '#libs/testing';
import { classesOf } from './cases/every-class.js';
import { placesOf } from './cases/places.js';
import type { IsolationCase } from './isolation-case.js';
import { hasLeftTraces, listenTo, type Outcome, tryCase } from './isolation-run.js';
import { as, type Shop, ShopKeeper } from './isolation-world.js';

/** At once, on pools of one connection. */
const REQUESTS = 60;

/**
 * Declares the cases for one strategy that gives tenants a place of their own, on every engine that can express it. Shared
 * tables are tried in `row-strategy.e2e-spec.ts`, where each case stands against each part of the guard.
 */
export function declareIsolationOf(only: IsolationStrategyName): void {
  const counts = new Map<string, Record<string, number>>();

  function count(pair: string, what: string, by = 1): void {
    const row = counts.get(pair) ?? {};
    counts.set(pair, { ...row, [what]: (row[what] ?? 0) + by });
  }

  afterAll(() => {
    console.info('Cases by strategy and engine, and how many came through:');
    console.table(Object.fromEntries(counts));
  });

  eachStrategy(
    (strategy, engine) => {
      const pair = `${strategy} on ${engine.name}`;
      const world = aStrategyWorld(engine, shopModel);
      /** The same places with nothing in front of them. */
      let bare: { databases: TestTenantDatabases; strategies: IsolationStrategies };
      let insideTarget: TenantOrm | undefined;
      let keeper: ShopKeeper;
      let own: PlacedTestTenant;
      let target: PlacedTestTenant;

      beforeAll(async () => {
        own = await world.aTenant(strategy, 'own');
        target = await world.aTenant(strategy, 'target');
        const overrides = { driver: engines[engine.name].driver, entityManager: Unguarded };
        const { url } = world.databases.shards.definition('shard-1');
        const databases = new TestTenantDatabases(url, { entities: shopModel, overrides });
        bare = { databases, strategies: new IsolationStrategies(databases) };
        const { schemaName } = target.placement;
        if (schemaName) {
          const request = { name: 'inside', tables: 'in schemas', insideSchema: schemaName } as const;
          insideTarget = databases.open('shard-1', request);
        }
        keeper = new ShopKeeper({ fork: (tenant) => at(bare.strategies, tenant as PlacedTestTenant) }, { own, target });
      }, 60_000);

      afterAll(async () => {
        for (const revert of reverts) revert();
        await bare?.databases.shards.close();
      });

      const reverts: (() => void)[] = [];
      function at(strategies: IsolationStrategies, { placement }: PlacedTestTenant): SqlEntityManager {
        const { entityManager, revert } = strategies.apply(placement);
        reverts.push(revert);
        return entityManager;
      }

      const guarded = ({ tenant }: Shop) => at(world.strategies, tenant as PlacedTestTenant);
      const unguarded = ({ tenant }: Shop) => at(bare.strategies, tenant as PlacedTestTenant);
      /**
       * At the target's place, on connections on which text that names no place means that one. Otherwise it finds nothing in
       * schemas, whoever sends it, and along the search path nobody has a place: a wall too, which is taken away like this.
       */
      const inside = () => {
        const { schemaName: schema } = target.placement;
        const options = { disableContextResolution: true, useContext: false, schema };
        return insideTarget?.em.fork(options) as SqlEntityManager;
      };
      /** A placement that is wrong: the own work goes to the target's place. */
      async function misplaced<T>(work: () => Promise<T>): Promise<T> {
        const { placement } = own;
        Object.assign(own, { placement: { ...target.placement, tenantId: own.id } });
        try {
          return await work();
        } finally {
          Object.assign(own, { placement });
        }
      }

      /** With nothing in its way; on connections inside the target's place only if it does not come through before. */
      async function tryUnguarded(isolationCase: IsolationCase): Promise<Outcome> {
        const outcome = await tryCase(unguarded, keeper, isolationCase);
        if (outcome.reached || !insideTarget) return outcome;
        count(pair, 'of them, inside');
        return tryCase(inside, keeper, isolationCase);
      }

      const told = (what: string, { reached, error }: Outcome) =>
        `${what}: ${reached ? 'came through' : 'closed'}${reached ? '' : ` (${error?.message ?? 'no error'})`}`;

      const classes = classesOf(engine);
      it.each(classes)(
        'closes every known way, from the right place and from the wrong one: %s',
        async (_, cases) => {
          const through: string[] = [];
          for (const isolationCase of cases) {
            count(pair, 'known ways');
            const right = await listenTo(guarded, keeper, isolationCase);
            const wrong = await misplaced(() => listenTo(guarded, keeper, isolationCase));
            if (right.reached) through.push(`${isolationCase.title}, from the right place`);
            if (wrong.reached) through.push(`${isolationCase.title}, from the wrong place`);
          }
          // Nothing was told; neither was anything changed.
          if (await hasLeftTraces(keeper)) through.push('one of them, in rows of the target');
          count(pair, 'came through', through.length);
          expect(through).toEqual([]);
        },
        60_000,
      );

      it.each(classes)(
        'would show each of them: nothing guards, and all come through: %s',
        async (_, cases) => {
          const closed: string[] = [];
          for (const isolationCase of cases) {
            count(pair, 'controls');
            const outcome = await misplaced(() => tryUnguarded(isolationCase));
            if (!outcome.reached) closed.push(told(isolationCase.title, outcome));
          }
          expect(closed).toEqual([]);
        },
        60_000,
      );

      it.each(classes)(
        'lets the own rows through where the target’s are refused: %s',
        async (_, cases) => {
          const closed: string[] = [];
          for (const isolationCase of cases.filter(({ refusedForAll, asNobody }) => !refusedForAll && !asNobody)) {
            count(pair, 'own rows');
            const outcome = await tryCase(guarded, keeper, isolationCase, 'own');
            if (!outcome.reached) closed.push(told(isolationCase.title, outcome));
          }
          expect(closed).toEqual([]);
        },
        60_000,
      );

      it('shows tenants that take turns their own rows only, whichever scope ends first', async () => {
        const [{ shop: mine }, { shop: theirs }] = [await keeper.get('own'), await keeper.get('target')];
        const request = (shop: Shop, seed: number) =>
          as(shop.tenant, async () => {
            const em = guarded(shop);
            const answers: unknown[] = [];
            const steps = [
              () => em.find(Category, {}),
              () => em.findOne(Book, { id: theirs.book }),
              () => em.qb(Tag).select('*').where({ tenantId: shop.tenant.id }).execute(),
              () =>
                em.transactional(async (tx) => [await tx.find(Tag, {}), await delay(seed % 3), await tx.count(Tag)]),
            ];
            for (const [index] of steps.entries()) {
              await delay((seed * (index + 3)) % 5);
              answers.push(await steps[(index + seed) % steps.length]?.());
            }
            return JSON.stringify(answers, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
          });
        const answers = await Promise.all(
          Array.from({ length: REQUESTS }, async (_, index) => {
            const [shop, other] = index % 2 ? [mine, theirs] : [theirs, mine];
            const answer = await request(shop, index);
            return { own: answer.includes(shop.canary), other: answer.includes(other.canary) };
          }),
        );
        expect(answers).toEqual(answers.map(() => ({ own: true, other: false })));
      }, 60_000);

      const ways = placesOf(strategy, engine.name);
      if (ways.length > 0) {
        it.each(ways.map((way) => [way.title, way] as const))('closes a way to another place: %s', async (_, way) => {
          count(pair, 'ways between places');
          expect(told('guarded', await tryCase(guarded, keeper, way))).toMatch(/^guarded: closed/);
          expect(told('unguarded', await tryUnguarded(way))).toBe('unguarded: came through');
        });
      }
    },
    [only],
  );
}
