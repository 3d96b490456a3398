import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AuditGap } from '#libs/audit';
import { Tag } from '#libs/testing';
import { Account } from './audit.model.js';
import { type AuditWorld, anAuditWorld } from './audit-world.js';
import { eachPlace } from './each-place.js';

/** Takes the trail's table away while `fn` runs. */
async function withoutTable(world: AuditWorld, fn: () => Promise<unknown>): Promise<void> {
  await world.execute('alter table audit_entry rename to audit_entry_gone');
  try {
    await fn();
  } finally {
    await world.execute('alter table audit_entry_gone rename to audit_entry');
  }
}

const addTag = (world: AuditWorld, name: string) => world.write((em) => em.create(Tag, { name }));
const tags = (world: AuditWorld) => world.as((em) => em.count(Tag, {}));

describe('audit under the policy "log"', () => {
  eachPlace((strategy, engine) => {
    let gaps: AuditGap[] = [];
    beforeEach(() => {
      gaps = [];
    });
    const aWorld = anAuditWorld(engine, { strategy, recorder: { onFailure: 'log', onGap: (gap) => gaps.push(gap) } });

    it('keeps the change, raises the alarm once, and puts the gap on record as soon as that is possible', async () => {
      const world = await aWorld();
      await withoutTable(world, async () => {
        await world.write((em) => {
          for (const name of ['one', 'two']) em.create(Tag, { name });
          em.create(Account, { name: 'Acme', apiKey: 'key-of-acme' });
        });
      });
      expect(await tags(world)).toBe(2);
      expect(gaps).toMatchObject([{ tenantId: world.tenant.id, changes: { Tag: 2, Account: 1 } }]);
      await world.write((em) => em.create(Tag, { name: 'three' }), { actor: { id: 'u-2', type: 'user' } });
      const [gap, created, ...others] = await world.entries();
      expect(others).toEqual([]);
      expect(gap).toMatchObject({ action: 'audit_gap', actorId: 'u-1', entityName: null });
      expect(gap?.changes).toMatchObject({
        changes: { old: null, new: { Tag: 2, Account: 1 } },
        at: { old: null, new: gaps[0]?.at.toISOString() },
      });
      expect(JSON.stringify(gap)).not.toContain('key-of-acme');
      expect(created).toMatchObject({ action: 'create', actorId: 'u-2' });
      await addTag(world, 'four');
      expect((await world.entries()).filter(({ action }) => action === 'audit_gap')).toHaveLength(1);
    });

    it('puts the gap on record in the same transaction, when the trail refuses no more than its entries', async () => {
      const world = await aWorld();
      await world.execute('delete from audit_entry');
      await world.execute('create unique index one_create_each on audit_entry (tenant_id, action, entity_name)');
      try {
        await addTag(world, 'recorded');
        await addTag(world, 'unrecorded');
      } finally {
        const from = engine.name === 'mysql' || engine.name === 'mariadb' ? ' on audit_entry' : '';
        await world.execute(`drop index one_create_each${from}`);
      }
      expect(await tags(world)).toBe(2);
      expect((await world.entries()).map(({ action }) => action)).toEqual(['create', 'audit_gap']);
      expect(gaps).toHaveLength(1);
    });

    it('tells of no gap in what is rolled back, and keeps earlier gaps for the next transaction', async () => {
      const world = await aWorld();
      await withoutTable(world, () => addTag(world, 'one'));
      const abandon = () =>
        world.as((em) =>
          em.transactional(async (inner) => {
            inner.create(Tag, { name: 'two' });
            await inner.flush();
            throw new Error('on purpose');
          }),
        );
      await withoutTable(world, () => expect(abandon()).rejects.toThrow('on purpose'));
      await expect(abandon()).rejects.toThrow('on purpose');
      expect(gaps).toHaveLength(1);
      await addTag(world, 'three');
      expect((await world.entries()).map(({ action }) => action)).toEqual(['audit_gap', 'create']);
    });

    it('records like the other policy when nothing is wrong', async () => {
      const world = await aWorld();
      await world.as((em) =>
        em.transactional(async (outer) => {
          outer.create(Tag, { name: 'outer' });
          await outer.flush();
          await outer
            .transactional(
              async (inner) => {
                inner.create(Tag, { name: 'inner' });
                await inner.flush();
                throw new Error('on purpose');
              },
              { clear: true },
            )
            .catch(() => {});
        }),
      );
      expect((await world.entries()).map(({ changes }) => changes.name)).toEqual([{ old: null, new: 'outer' }]);
      expect(gaps).toEqual([]);
    });
  });
});

describe('audit without its table', () => {
  eachPlace((strategy, engine) => {
    const aWorld = anAuditWorld(engine, { strategy });

    it('changes nothing any more', async () => {
      const world = await aWorld();
      await addTag(world, 'before');
      await world.execute('drop table audit_entry');
      await expect(addTag(world, 'flushed')).rejects.toThrow();
      await expect(
        world.as((em) => em.transactional(async (inner) => void inner.create(Tag, { name: 'in a transaction' }))),
      ).rejects.toThrow();
      expect(await tags(world)).toBe(1);
    });
  });
});
