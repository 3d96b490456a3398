import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { eachEngine } from '#libs/testing';
import { forkSource } from '../../support/fork-source.js';
import { eachPlace } from './each-place.js';
import { aScheduler, aSealedWorld, type SealedWorld } from './sealed-world.js';

/** A process that has just started, and sweeps. */
async function sweep(it: SealedWorld): Promise<unknown[]> {
  const { scheduler, errors } = aScheduler(it);
  await scheduler.sweep();
  await scheduler.beforeApplicationShutdown();
  return errors;
}

describe('sealing after faults', () => {
  // A process dies alike wherever it wrote.
  eachEngine((engine) => {
    const aWorld = aSealedWorld(engine);

    it('seals what a process had committed when it was killed', async () => {
      const it = await aWorld();
      await it.write(1);
      await it.seal();
      const writer = { url: it.world.database.url, tenant: it.tenant, keys: it.keys.current.toText() };
      const child = forkSource(new URL('./writer-child.ts', import.meta.url), { WRITER: JSON.stringify(writer) });
      const [, signal] = await once(child, 'exit');
      expect(signal).toBe('SIGKILL');
      expect(await it.world.as(() => it.sealer.findCheckpoint())).toMatchObject({ size: 1 });
      expect(await sweep(it)).toEqual([]);
      expect(await it.world.as(() => it.sealer.findCheckpoint())).toMatchObject({ size: 4 });
      expect(await it.verify()).toMatchObject({ ok: true, entries: 4 });
    });
  });

  eachPlace((strategy, engine) => {
    const aWorld = aSealedWorld(engine, strategy);

    it('leaves nothing half sealed when its transaction fails', async () => {
      const it = await aWorld();
      await it.write(3);
      await it.world.execute('alter table audit_seal rename to audit_seal_gone');
      try {
        expect(await sweep(it)).toHaveLength(1);
      } finally {
        await it.world.execute('alter table audit_seal_gone rename to audit_seal');
      }
      expect(await it.verify()).toMatchObject({ ok: true, entries: 3 });
    });

    it('goes on after the clock was set back', async () => {
      const it = await aWorld();
      await it.write(2);
      const { checkpoint: before } = await it.seal();
      const now = Date.now;
      Date.now = () => now() - 3_600_000;
      try {
        await it.write(2);
        expect((await it.world.as(() => it.sealer.seal({ lookBackMs: 2000 }))).sealed).toBe(2);
      } finally {
        Date.now = now;
      }
      const verdict = await it.verify({ against: before });
      expect(verdict).toMatchObject({ ok: true, entries: 4 });
      expect(Date.parse(verdict.checkpoint?.sealedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(before.sealedAt));
    });

    it('keeps a checkpoint for each period that is over', async () => {
      const it = await aWorld();
      await it.write(2);
      const { checkpoint: first } = await it.seal();
      const now = Date.now;
      Date.now = () => now() + 3_600_000;
      try {
        await it.write(1);
        await it.seal();
        await it.write(1);
        const { checkpoint: last } = await it.seal();
        expect(await it.world.as(() => it.verifier.checkpoints())).toEqual([first, last]);
      } finally {
        Date.now = now;
      }
    });
  });
});
