import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { runAs } from '#libs/context';
import { aStrategyWorld, eachEngine, type PlacedTestTenant, shopModel, Tag } from '#libs/testing';
import { TenantPoolsExhaustedError } from '../errors/tenant-pools-exhausted.error.js';
import type { DatabaseIsolationStrategy } from './database.isolation-strategy.js';
import type { TenantOrm } from './tenant-databases.js';
import { TenantOrms } from './tenant-orms.js';

const MAX_OPEN = 3;

/** What holds on a server holds on all: their pools differ below what is counted here. */
describe('databases of single tenants', () => {
  it('end nothing but themselves when they cannot be closed', async () => {
    const failures: unknown[] = [];
    const note = (reason: unknown) => failures.push(reason);
    const warn = jest.spyOn(process, 'emitWarning').mockReturnValue(undefined);
    process.on('unhandledRejection', note);
    const close = () => Promise.reject(new Error('it does not close'));
    const orms = new TenantOrms({ max: 1, waitMs: 0, close });
    const orm = { driver: { getConnection: () => ({ createKyselyDialect: () => ({}) }) } } as unknown as TenantOrm;
    orms.lease('unused', () => orm).release();
    await nextTurn();
    orms.lease('in use', () => orm);
    await orms.forget('in use');
    process.off('unhandledRejection', note);
    expect(failures).toEqual([]);
    expect(warn).toHaveBeenCalledTimes(2);
    warn.mockRestore();
  });

  eachEngine(
    (engine) => {
      const patient = aStrategyWorld(engine, shopModel, { limits: { maxOpen: 1, waitMs: 20_000 } });

      it('pass a place on when who waited for it has gone, however many wait', async () => {
        const made: PlacedTestTenant[] = [];
        for (let n = 0; n < 12; n++) made.push(await patient.aTenant('database', `w-${n}`));
        const [holder, ...waiting] = made as [PlacedTestTenant, ...PlacedTestTenant[]];
        const read = (em: SqlEntityManager) => em.fork().find(Tag, {});
        const { entityManager, revert } = patient.strategies.apply(holder.placement);
        await runAs({ tenant: holder, actor: { id: 'spec', type: 'system' } }, () => read(entityManager));
        const reads = waiting.map((tenant) => patient.as(tenant, read));
        const ends = Promise.allSettled(reads);
        await nextTurn();
        // In front of the line, in the middle and at its end.
        const gone = [0, 1, 5, 10];
        const strategy = patient.strategies.get('database', 'shard-1');
        for (const n of gone) await strategy.drop((waiting[n] as PlacedTestTenant).placement);
        revert();
        const served = (await ends).map(({ status }) => status === 'fulfilled');
        expect(served).toEqual(waiting.map((_, n) => !gone.includes(n)));
      });

      const world = aStrategyWorld(engine, shopModel, { limits: { maxOpen: MAX_OPEN, waitMs: 200 } });
      const databases = () => world.strategies.get('database', 'shard-1') as DatabaseIsolationStrategy;
      const write = (tenant: PlacedTestTenant, name = tenant.slug) =>
        world.as(tenant, async (em) => {
          em.create(Tag, { name });
          await em.flush();
        });
      const read = (em: SqlEntityManager) => em.fork().find(Tag, {});
      /** A unit of work that goes on after the call. */
      function hold(tenant: PlacedTestTenant) {
        const { entityManager, revert } = world.strategies.apply(tenant.placement);
        const as = <T>(fn: (em: SqlEntityManager) => Promise<T>) =>
          runAs({ tenant, actor: { id: 'spec', type: 'system' } }, () => fn(entityManager));
        return { as, revert };
      }
      async function tenants(count: number): Promise<PlacedTestTenant[]> {
        const made: PlacedTestTenant[] = [];
        for (let n = 0; n < count; n++) made.push(await world.aTenant('database', `t-${n}`));
        return made;
      }

      it('are closed to make room, those unused for longest first, and open again when asked', async () => {
        const all = await tenants(MAX_OPEN + 2);
        for (const tenant of all) await write(tenant);
        expect(databases().open).toBe(MAX_OPEN);
        for (const tenant of all) {
          expect(await world.as(tenant, read)).toMatchObject([{ name: tenant.slug }]);
          expect(databases().open).toBe(MAX_OPEN);
        }
      });

      it('are never closed while in use: who needs one more waits, in vain not for ever', async () => {
        const [late, ...early] = (await tenants(MAX_OPEN + 1)) as [PlacedTestTenant, ...PlacedTestTenant[]];
        const holds = early.map(hold);
        for (const { as } of holds) await as(read);
        await expect(world.as(late, read)).rejects.toThrow(TenantPoolsExhaustedError);
        for (const { as } of holds) expect(await as(read)).toEqual([]);
        const waiting = world.as(late, read);
        await nextTurn();
        holds[0]?.revert();
        expect(await waiting).toEqual([]);
        for (const { revert } of holds.slice(1)) revert();
      });

      it('are not closed under an open transaction, also when its unit of work was given back', async () => {
        const [first, ...others] = (await tenants(MAX_OPEN + 1)) as [PlacedTestTenant, ...PlacedTestTenant[]];
        const { as, revert } = hold(first);
        await as((em) =>
          em.transactional(async (inner) => {
            inner.create(Tag, { name: 'kept' });
            await inner.flush();
            revert();
            for (const tenant of others) await world.as(tenant, read);
          }),
        );
        expect(await world.as(first, read)).toMatchObject([{ name: 'kept' }]);
      });

      it('answer an EntityManager that somebody kept with an error, on every way', async () => {
        const [first, ...others] = (await tenants(MAX_OPEN + 1)) as [PlacedTestTenant, ...PlacedTestTenant[]];
        const { as, revert } = hold(first);
        await as(read);
        revert();
        for (const tenant of others) await world.as(tenant, read);
        const gone = { code: 'shard_closed' };
        await expect(as(read)).rejects.toMatchObject(gone);
        await expect(as((em) => em.execute('select 1'))).rejects.toMatchObject(gone);
        await expect(as(async (em) => em.getKysely())).rejects.toMatchObject(gone);
        await expect(as((em) => em.transactional((inner) => inner.find(Tag, {})))).rejects.toMatchObject(gone);
        expect(databases().open).toBe(MAX_OPEN);
      });

      it('stay within their number however many are used at once', async () => {
        const all = await tenants(8);
        let peak = 0;
        const use = async (n: number) => {
          for (let round = 0; round < 10; round++) {
            const tenant = all[(n * 7 + round * 3) % all.length] as PlacedTestTenant;
            await world.as(tenant, async (em) => {
              await read(em);
              peak = Math.max(peak, databases().open);
            });
          }
        };
        await Promise.all(Array.from({ length: MAX_OPEN }, (_, n) => use(n)));
        expect(peak).toBe(MAX_OPEN);
      });
    },
    ['sqlite', 'postgresql'],
  );
});
