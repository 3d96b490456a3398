import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { eachEngine } from '#libs/testing';
import { forkSource } from '../../support/fork-source.js';
import { aScheduler, aSealedWorld, type SealedWorld } from './sealed-world.js';

const COMMITS = 40;

/** How many entries are sealed, by the checkpoint that is there; seals nothing. */
const sizeOf = ({ world, sealer }: SealedWorld) => world.as(async () => (await sealer.findCheckpoint())?.size ?? 0);

async function untilSealed(it: SealedWorld, size: number): Promise<void> {
  while ((await sizeOf(it)) < size) await delay(20);
}

describe('sealing in the background', () => {
  // What the clock does: no engine changes it.
  eachEngine(
    (engine) => {
      const aWorld = aSealedWorld(engine);

      it('seals for commits of others alone, and those that come within moments together', async () => {
        const it = await aWorld();
        const { scheduler } = aScheduler(it);
        const seal = jest.spyOn(it.sealer, 'seal');
        await it.write(1);
        await untilSealed(it, 1);
        // Longer than after a commit: the round's own one is none.
        await delay(700);
        expect(seal).toHaveBeenCalledTimes(1);
        await it.write(5);
        await untilSealed(it, 6);
        expect(seal.mock.calls.length).toBeLessThan(1 + 5);
        await scheduler.beforeApplicationShutdown();
        expect(await sizeOf(it)).toBe(6);
      });

      it('ends a round that is under way before it stops, and seals what is waiting behind it', async () => {
        const it = await aWorld();
        const { scheduler, errors } = aScheduler(it);
        const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
        const { seal } = it.sealer;
        jest.spyOn(it.sealer, 'seal').mockImplementationOnce(async (round) => {
          begin();
          // In the middle of the round the tenant commits once more, and the process is told to stop.
          await it.write(2);
          const stopped = scheduler.beforeApplicationShutdown().then(() => 'stopped');
          expect(await Promise.race([stopped, delay(50, 'waiting')])).toBe('waiting');
          return seal.call(it.sealer, round);
        });
        await it.write(3);
        await begun;
        await scheduler.beforeApplicationShutdown();
        expect(errors).toEqual([]);
        expect(await sizeOf(it)).toBe(5);
      });

      it('schedules nothing any more once it has stopped; the next process seals what comes then', async () => {
        const it = await aWorld();
        const { scheduler } = aScheduler(it);
        await scheduler.beforeApplicationShutdown();
        await it.write(1);
        scheduler.start();
        await delay(600);
        expect(await sizeOf(it)).toBe(0);
        const next = aScheduler(it);
        next.scheduler.start();
        await untilSealed(it, 1);
        await next.scheduler.beforeApplicationShutdown();
        expect(next.errors).toEqual([]);
      });
    },
    ['sqlite'],
  );

  eachEngine((engine) => {
    const aWorld = aSealedWorld(engine);

    it('seals what was committed, though nobody asks for it, and again after that', async () => {
      const it = await aWorld();
      const { scheduler, errors } = aScheduler(it);
      await it.write(3);
      expect(await sizeOf(it)).toBe(0);
      await untilSealed(it, 3);
      await it.write(2);
      await untilSealed(it, 5);
      await scheduler.beforeApplicationShutdown();
      expect(errors).toEqual([]);
      expect(await it.verify()).toMatchObject({ ok: true, entries: 5 });
    });

    it('seals everything once when two processes write and seal at the same time', async () => {
      const it = await aWorld();
      const sealing = {
        url: it.world.database.url,
        tenant: it.tenant,
        keys: it.keys.current.toText(),
        commits: COMMITS,
      };
      const children = [1, 2].map(() =>
        forkSource(new URL('./sealing-child.ts', import.meta.url), { SEALING: JSON.stringify(sealing) }),
      );
      const said = await Promise.all(children.map((child) => once(child, 'message')));
      expect(said).toEqual([
        ['written', undefined],
        ['written', undefined],
      ]);
      const exits = children.map((child) => once(child, 'exit'));
      for (const child of children) child.send('stop');
      expect(await Promise.all(exits)).toEqual([
        [0, null],
        [0, null],
      ]);
      expect(await sizeOf(it)).toBe(2 * COMMITS);
      expect(await it.verify()).toMatchObject({ ok: true, entries: 2 * COMMITS });
    });
  });
});
