import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MikroORM } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { type AuditGap, AuditRecorder } from '#libs/audit';
import { runAs } from '#libs/context';
import { ChangeEventsSubscriber, engines, ormOptions, runInSystemFrame } from '#libs/persistence';
import { GuardedEntityManager, guardedDriver } from '#libs/tenancy';
import { aTenant, eachEngine, Tag } from '#libs/testing';
import { Account, auditModel } from './audit.model.js';
import { type AuditWorld, anAuditWorld } from './audit-world.js';

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
  eachEngine((engine) => {
    let gaps: AuditGap[] = [];
    beforeEach(() => {
      gaps = [];
    });
    const aWorld = anAuditWorld(engine, {}, { onFailure: 'log', onGap: (gap) => gaps.push(gap) });

    it('keeps the change, raises the alarm once, and puts the gap on record as soon as that is possible', async () => {
      const world = aWorld();
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
      const world = aWorld();
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
      const world = aWorld();
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
      const world = aWorld();
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
  eachEngine((engine) => {
    const aWorld = anAuditWorld(engine);

    it('changes nothing any more', async () => {
      const world = aWorld();
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

/** A file system of two megabytes, where the process may make one. */
function mountSmall(folder: string): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('audit on a full disk', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rowhouse-full-'));
  const isMounted = mountSmall(folder);
  let orm: MikroORM | undefined;

  afterEach(async () => {
    await orm?.close(true);
    if (isMounted) execFileSync('umount', [folder]);
    rmSync(folder, { recursive: true, force: true });
  });

  const title = 'keeps every row with its entry, or neither';
  const reason = isMounted ? '' : ' (quota of the database instead of a small disk: no right to mount)';
  it(`${title}${reason}`, async () => {
    const changes = new ChangeEventsSubscriber({ subscribers: [new AuditRecorder()], onError: () => {} });
    orm = await MikroORM.init(
      ormOptions(`sqlite:${join(folder, 'tenants.sqlite')}`, {
        entities: auditModel,
        driver: guardedDriver(engines.sqlite),
        entityManager: GuardedEntityManager,
        subscribers: [changes],
      }),
    );
    const em = orm.em as SqlEntityManager;
    await runInSystemFrame('prepare', async () => {
      await orm?.schema.create();
      if (!isMounted) await em.getConnection().execute('pragma max_page_count = 200');
    });
    const tenant = aTenant();
    const refused: unknown[] = [];
    await runAs({ tenant, actor: { id: 'u-1', type: 'user' } }, async () => {
      for (let row = 0; refused.length < 20; row++) {
        const fork = em.fork() as SqlEntityManager;
        fork.create(Account, { name: `account ${row}`, notes: 'x'.repeat(row % 2 === 0 ? 9_000 : 100) });
        await fork.flush().catch((error) => refused.push(error));
      }
    });
    for (const error of refused) expect(String(error)).toMatch(/full/);
    const count = async (sql: string) => {
      const [row] = await runInSystemFrame('count', () => em.getConnection().execute<{ n: number }[]>(sql));
      return Number(row?.n);
    };
    const accounts = await count('select count(*) as n from account');
    expect(accounts).toBeGreaterThan(10);
    expect(await count('select count(*) as n from audit_entry')).toBe(accounts);
    const unmatched =
      'select count(*) as n from account a left join audit_entry e on e.entity_id = a.id where e.id is null';
    expect(await count(unmatched)).toBe(0);
  });
});
