import { expect } from '@jest/globals';
import { AuditPauseRefusedError } from '#libs/audit';
import { runAs } from '#libs/context';
import { Category, Tag } from '#libs/testing';
import type { AuditCase } from '../audit-case.js';

export const pauseCases: AuditCase[] = [
  {
    title: 'puts a pause on record before it begins, and at its end how much was not recorded',
    control: 'talkative',
    async run(world) {
      await world.as(async (em) => {
        await world.pause.run('fill the new column', async () => {
          for (const name of ['one', 'two']) em.create(Tag, { name });
          em.create(Category, { name: 'Books' });
          await em.flush();
        });
        em.create(Tag, { name: 'three' });
        await em.flush();
      });
      const entries = await world.entries();
      expect(entries.map(({ action, reason }) => [action, reason])).toEqual([
        ['audit_paused', 'fill the new column'],
        ['audit_resumed', 'fill the new column'],
        ['create', null],
      ]);
      expect(entries[1]?.changes).toEqual({ unrecorded: { old: null, new: { Tag: 2, Category: 1 } } });
      expect(entries[1]).toMatchObject({ actorId: 'u-1' });
    },
  },
  {
    title: 'ends a pause with its work, also when that fails, and counts only what was committed',
    control: 'silent',
    async run(world) {
      const work = world.as((em) =>
        world.pause.run('try', () =>
          em.transactional(async (inner) => {
            inner.create(Tag, { name: 'one' });
            await inner.flush();
            throw new Error('on purpose');
          }),
        ),
      );
      await expect(work).rejects.toThrow('on purpose');
      await world.write((em) => em.create(Tag, { name: 'two' }));
      const entries = await world.entries();
      expect(entries.map(({ action }) => action)).toEqual(['audit_paused', 'audit_resumed', 'create']);
      expect(entries[1]?.changes).toEqual({ unrecorded: { old: null, new: {} } });
    },
  },
  {
    title: 'pauses for one tenant and one piece of work',
    control: 'silent',
    async run(world) {
      const globex = await world.another();
      await world.as(() =>
        world.pause.run('repair', async () => {
          await runAs({ tenant: globex, actor: world.actor }, async () => {
            const em = world.database.fork();
            em.create(Tag, { name: 'of another' });
            await em.flush();
          });
        }),
      );
      expect((await world.entries(globex)).map(({ action }) => action)).toEqual(['create']);
    },
  },
  {
    title: 'refuses to pause inside a transaction',
    control: 'silent',
    async run(world) {
      const work = world.as((em) =>
        em.transactional(async (inner) => {
          inner.create(Tag, { name: 'one' });
          await inner.flush();
          await expect(world.pause.run('hide it', async () => {})).rejects.toThrow(AuditPauseRefusedError);
        }),
      );
      await work;
      expect((await world.entries()).map(({ action }) => action)).toEqual(['create']);
    },
  },
];
