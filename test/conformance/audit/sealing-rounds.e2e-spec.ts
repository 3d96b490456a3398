import { describe, expect, it } from '@jest/globals';
import { AuditRecorder, AuditSealer, type SealRound, SealScheduler, TenantRoster } from '#libs/audit';
import type { ContextTenant } from '#libs/context';
import { eachEngine } from '#libs/testing';
import { aSealedWorld } from './sealed-world.js';

describe('rounds of sealing in the background', () => {
  eachEngine((engine) => {
    const aWorld = aSealedWorld(engine);

    it('lets others have their turn before a tenant that commits all the time is sealed again', async () => {
      const { world, tenant, options, entityManager, erasure } = await aWorld();
      const recorder = new AuditRecorder(options);
      const rounds: string[] = [];
      let swept: Promise<void> | undefined;

      class BusySealer extends AuditSealer {
        override async seal(round: SealRound = {}) {
          rounds.push(round.lookBackMs === undefined ? 'sweep' : 'round');
          if (rounds.length === 1) {
            swept = scheduler.sweep();
            await world.as(async () => recorder.afterCommit());
          }
          return super.seal(round);
        }
      }
      class OneTenant extends TenantRoster {
        async *all(): AsyncIterable<ContextTenant> {
          yield tenant;
        }
      }
      const sealer = new BusySealer(entityManager, options);
      const scheduler: SealScheduler = new SealScheduler(sealer, new OneTenant(), erasure, recorder, options);

      await world.as(async () => recorder.afterCommit());
      while (!swept) await new Promise(setImmediate);
      await swept;
      // On a slow machine the next round has come by now.
      expect(rounds.slice(0, 2)).toEqual(['round', 'sweep']);
      await scheduler.beforeApplicationShutdown();
      expect(rounds).toEqual(['round', 'sweep', 'round']);
    });
  });
});
