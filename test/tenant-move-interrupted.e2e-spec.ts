import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { OrphansService, TenantMoveService } from '#apps/api';
import { runAs, runInContext } from '#libs/context';
import { CurrentEntityManager, StoredTable } from '#libs/persistence';
import { type IsolationStrategyName, PlaceMover, PlacementMoves } from '#libs/tenancy';
import { createTestDatabase, eachEngine, strategiesOf, type TestDatabase } from '#libs/testing';
import { Category } from '../apps/api/src/shop/catalogue/category.entity.js';
import { anInstallation, MovingTenant } from './support/moving-tenant.js';
import type { TestApp } from './support/test-app.js';

/** Where a process may die. */
const STEPS = [
  'before the copy',
  'after the copy',
  'after the switch',
  'before it is noted that the new place is open',
  'before the old place is cleared',
  'after the old place was cleared',
] as const;
type Step = (typeof STEPS)[number];

/** What a step leaves behind is the central database's business, and the same wherever rows are. */
describe('a move that is interrupted', () => {
  eachEngine(
    (engine) => {
      const databases: TestDatabase[] = [];
      let installation: Awaited<ReturnType<typeof anInstallation>>;
      let here: TestApp;
      let count = 0;

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
      afterEach(() => {
        jest.restoreAllMocks();
      });

      const aGuest = (strategy: IsolationStrategyName) => MovingTenant.signUp(here, `guest-${++count}`, { strategy });

      const strategies = strategiesOf(engine);
      const [first, second] = [strategies[0], strategies.at(-1)] as [IsolationStrategyName, IsolationStrategyName];
      /** There and back in turn. */
      const wayOf = (step: Step) =>
        (STEPS.indexOf(step) % 2 === 0 ? [first, second] : [second, first]) as [typeof first, typeof first];
      const dies = new Error('the process dies here');
      /** From this step on nothing is done any more, as after a crash. */
      const dieAt = (step: Step) => {
        const [mover, moves] = [here.app.get(PlaceMover), here.app.get(PlacementMoves)];
        const steps: Record<Step, () => unknown> = {
          'before the copy': () => jest.spyOn(mover, 'copy').mockRejectedValueOnce(dies),
          'after the copy': () => jest.spyOn(moves, 'switch').mockRejectedValueOnce(dies),
          'after the switch': () => jest.spyOn(mover, 'open').mockRejectedValueOnce(dies),
          'before it is noted that the new place is open': () => jest.spyOn(moves, 'serve').mockRejectedValueOnce(dies),
          'before the old place is cleared': () => jest.spyOn(mover, 'clear').mockRejectedValueOnce(dies),
          'after the old place was cleared': () => {
            jest.spyOn(moves, 'leaveFence').mockRejectedValueOnce(dies);
            jest.spyOn(moves, 'end').mockRejectedValueOnce(dies);
          },
        };
        steps[step]();
        // A dead process does not tidy up.
        jest.spyOn(moves, 'giveUp').mockRejectedValue(dies);
      };

      it.each(STEPS)('%s is whole at one place, and comes to its end when it is asked for again', async (step) => {
        const [from, to] = wayOf(step);
        const guest = await aGuest(from);
        await guest.write();
        dieAt(step);
        await expect(guest.move({ strategy: to })).rejects.toThrow(dies);
        jest.restoreAllMocks();
        expect(await guest.skus()).toEqual(['sku-1', 'tea']);
        // Where the rows are not, nobody can leave any.
        await guest.write();
        await guest.move({ strategy: to });
        expect(await guest.record()).toMatchObject({ placement: { strategy: to, state: 'active' } });
        expect(await guest.write()).toBe(201);
        await guest.expectWhole();
        await expect(guest.move({ strategy: to })).rejects.toMatchObject({ code: 'tenant_move_refused' });
        await guest.purge();
      });

      it.each(STEPS.slice(0, 2))('%s is as before when it is given up', async (step) => {
        const [from, to] = wayOf(step);
        const guest = await aGuest(from);
        dieAt(step);
        await expect(guest.move({ strategy: to })).rejects.toThrow(dies);
        jest.restoreAllMocks();
        await runInContext({}, () => here.app.get(TenantMoveService).cancel(guest.slug));
        expect(await guest.record()).toMatchObject({ placement: { strategy: from, state: 'active' } });
        expect(await guest.write()).toBe(201);
        await guest.expectWhole();
        await guest.move({ strategy: to });
        await guest.expectWhole();
        await guest.purge();
      });

      it('is ended before its tenant can be purged, so that no rows stay where nobody looks', async () => {
        const guest = await aGuest(second);
        dieAt('after the switch');
        await expect(guest.move({ strategy: first })).rejects.toThrow(dies);
        jest.restoreAllMocks();
        await expect(guest.purge()).rejects.toMatchObject({ code: 'tenant_move_refused' });
        await guest.move({ strategy: first });
        await guest.purge();
      });

      it('keeps the fence of the move before it when it is given up', async () => {
        const guest = await aGuest('row');
        const then = await guest.record();
        await guest.move({ strategy: second });
        const fences = async () => {
          const orphans = await runInContext({}, () => here.app.get(OrphansService).list());
          return orphans.filter(({ kind, name }) => kind === 'fence' && name === guest.slug).length;
        };
        dieAt('after the copy');
        await expect(guest.move({ strategy: 'row' })).rejects.toThrow(dies);
        jest.restoreAllMocks();
        await runInContext({}, () => here.app.get(TenantMoveService).cancel(guest.slug));
        expect(await fences()).toBe(1);
        // Work that began before the first move, and has not ended.
        const late = runAs({ tenant: then, actor: { id: 'spec', type: 'system' } }, async () => {
          const em = here.app.get(CurrentEntityManager).get();
          em.create(Category, { name: 'late' } as never);
          await em.flush();
        });
        await expect(late).rejects.toMatchObject({ code: 'tenant_moving' });
        await guest.move({ strategy: 'row' });
        expect(await guest.write()).toBe(201);
        await guest.expectWhole();
        expect(await fences()).toBe(0);
        await guest.purge();
      });

      it('is given up by itself when the copy is not like the original', async () => {
        const guest = await aGuest(first);
        const insert = jest.spyOn(StoredTable.prototype, 'insert');
        insert.mockImplementationOnce(async () => undefined);
        await expect(guest.move({ strategy: second })).rejects.toMatchObject({ code: expect.any(String) });
        insert.mockRestore();
        expect(await guest.record()).toMatchObject({ placement: { strategy: first, state: 'active' } });
        expect(await guest.write()).toBe(201);
        await guest.expectWhole();
        await guest.purge();
      });

      it('is given up by itself when a row was passed by on both sides', async () => {
        const guest = await aGuest(first);
        const read = StoredTable.prototype.read;
        jest.spyOn(StoredTable.prototype, 'read').mockImplementation(async function shorter(this: StoredTable, ...all) {
          const page = await read.apply(this, all);
          if (!this.name.includes('idempotency') || page.count === 0) return page;
          return { count: page.count - 1, values: page.values.map((column) => column.slice(0, -1)) };
        });
        await expect(guest.move({ strategy: second })).rejects.toThrow(/idempotency_record: 1 rows here, 0 there/);
        jest.restoreAllMocks();
        expect(await guest.record()).toMatchObject({ placement: { strategy: first, state: 'active' } });
        await guest.expectWhole();
        await guest.purge();
      });
    },
    ['sqlite', 'postgresql'],
  );
});
