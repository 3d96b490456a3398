import { expect } from '@jest/globals';
import { AuditEntryNotFoundError, InvalidCursorError, type TrailQuery } from '#libs/audit';
import { NoTenantInContextError, runAs, runInContext } from '#libs/context';
import { Category, expectStatements, Tag } from '#libs/testing';
import type { AuditCase } from '../audit-case.js';
import type { AuditWorld } from '../audit-world.js';

/** Writes a tag for each name, one transaction each. */
async function writeTags(world: AuditWorld, names: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const name of names) ids.push((await world.write((em) => em.create(Tag, { name }))).id);
  return ids;
}

const list = (world: AuditWorld, query?: TrailQuery) => world.as(() => world.trail.list(query));
const numbered = (count: number, prefix = 'tag') => Array.from({ length: count }, (_, index) => `${prefix} ${index}`);
const named = (entry: { getChanges(): Record<string, unknown> }) => Reflect.get(Object(entry.getChanges().name), 'new');

export const trailCases: AuditCase[] = [
  {
    title: 'lists entries newest first, each page for one statement, however deep',
    control: 'backwardTrail',
    async run(world) {
      await writeTags(world, numbered(7));
      const seen: unknown[] = [];
      let cursor: string | undefined;
      for (const size of [3, 3, 1]) {
        const query = { limit: 3, cursor };
        const page = await world.as(() => expectStatements(world.database, 1, () => world.trail.list(query)));
        expect(page.entries).toHaveLength(size);
        seen.push(...page.entries.map(named));
        cursor = page.nextCursor ?? undefined;
      }
      expect(cursor).toBeUndefined();
      expect(seen).toEqual(numbered(7).reverse());
    },
  },
  {
    title: 'moves no entry between pages while others are added',
    control: 'carelessTrail',
    async run(world) {
      await writeTags(world, numbered(6));
      const first = await list(world, { limit: 3 });
      await writeTags(world, numbered(5, 'later'));
      const second = await list(world, { limit: 3, cursor: first.nextCursor ?? '' });
      expect([...first.entries, ...second.entries].map(named)).toEqual(numbered(6).reverse());
      expect(second.nextCursor).toBeNull();
    },
  },
  {
    title: 'narrows by entity, id, action and actor, alone and together',
    control: 'carelessTrail',
    async run(world) {
      const [id = ''] = await writeTags(world, ['one', 'two']);
      await world.write((em) => em.create(Category, { name: 'Books' }));
      const other = { actor: { id: 'u-2', type: 'user' } } as const;
      await world.write(
        async (em) => void Object.assign(await em.findOneOrFail(Tag, { id } as never), { name: 'uno' }),
        other,
      );
      const count = async (query: TrailQuery) => (await list(world, query)).entries.length;
      expect(await count({})).toBe(4);
      expect(await count({ entity: 'Tag' })).toBe(3);
      expect(await count({ entityId: id })).toBe(2);
      expect(await count({ action: 'create' })).toBe(3);
      expect(await count({ actorId: 'u-2' })).toBe(1);
      expect(await count({ entity: 'Tag', entityId: id, action: 'update', actorId: 'u-2' })).toBe(1);
      expect(await count({ entity: 'Tag', actorId: 'u-2', action: 'create' })).toBe(0);
    },
  },
  {
    title: 'narrows by time, both ends included',
    control: 'carelessTrail',
    async run(world) {
      await writeTags(world, numbered(3));
      const times = (await world.entries()).map(({ occurredAt }) => occurredAt as Date);
      const between = async (from?: Date, to?: Date) =>
        (await list(world, { from, to })).entries.map(({ occurredAt }) => occurredAt.getTime());
      const [first, , last] = times as [Date, Date, Date];
      expect(await between(first, last)).toHaveLength(3);
      expect(await between(new Date(last.getTime() + 1))).toEqual([]);
      expect(await between(undefined, new Date(first.getTime() - 1))).toEqual([]);
      const inFirst = times.filter((time) => time.getTime() === first.getTime());
      expect(await between(first, first)).toHaveLength(inFirst.length);
    },
  },
  {
    title: 'never gives more than the page that the module allows',
    control: 'carelessTrail',
    async run(world) {
      await world.write((em) => {
        for (const name of numbered(120)) em.create(Tag, { name });
      });
      const page = await list(world, { limit: 1_000_000 });
      expect(page.entries).toHaveLength(100);
      expect(page.nextCursor).not.toBeNull();
      expect((await list(world, { limit: -5 })).entries).toHaveLength(1);
    },
  },
  {
    title: 'refuses a cursor that it did not make',
    control: 'carelessTrail',
    async run(world) {
      await writeTags(world, ['one']);
      const random = Buffer.from('0123456789abcdef').toString('base64url');
      for (const cursor of ['', 'x', '100', `${random}`, "' or 1=1 --", '../..', 'e30']) {
        await expect(list(world, { cursor })).rejects.toThrow(InvalidCursorError);
      }
    },
  },
  {
    title: 'gives one entry by its id',
    control: 'silent',
    async run(world) {
      const [id = ''] = await writeTags(world, ['one']);
      const entries = await world.entries();
      expect(entries).toHaveLength(1);
      const entryId = entries[0]?.id ?? '';
      const entry = await world.as(() => world.trail.get(entryId));
      expect(entry).toMatchObject({ id: entryId, action: 'create', entityName: 'Tag', entityId: id });
      expect(entry.getChanges()).toEqual({ name: { old: null, new: 'one' } });
    },
  },
  {
    title: "shows a tenant none of another one's entries, by list, by filter or by id",
    control: 'carelessTrail',
    async run(world) {
      const [id = ''] = await writeTags(world, ['one']);
      const [entry] = await world.entries();
      const globex = await world.another();
      const asGlobex = <T>(fn: () => Promise<T>) => runAs({ tenant: globex, actor: world.actor }, fn);
      expect(await asGlobex(() => world.trail.list())).toEqual({ entries: [], nextCursor: null });
      expect(await asGlobex(() => world.trail.list({ entityId: id }))).toEqual({ entries: [], nextCursor: null });
      const foreign = asGlobex(() => world.trail.get(entry?.id ?? ''));
      await expect(foreign).rejects.toThrow(AuditEntryNotFoundError);
      const message = (error: Error) => error.message.replaceAll(/[0-9a-f-]{36}/g, 'ID');
      const never = asGlobex(() => world.trail.get('01900000-0000-7000-8000-000000000000'));
      expect(await foreign.catch(message)).toBe(await never.catch(message));
    },
  },
  {
    title: 'asks for a tenant before it sends any SQL',
    control: 'carelessTrail',
    async run(world) {
      const { trail, database } = world;
      await runInContext({}, () =>
        expectStatements(database, 0, async () => {
          await expect(trail.list()).rejects.toThrow(NoTenantInContextError);
          await expect(trail.get('01900000-0000-7000-8000-000000000000')).rejects.toThrow(NoTenantInContextError);
          await expect(trail.record({ action: 'login' })).rejects.toThrow(NoTenantInContextError);
        }),
      );
    },
  },
  {
    title: 'records an event that changes no row, even when the work then fails',
    control: 'lateTrail',
    async run(world) {
      const work = world.as(async (em) => {
        em.create(Tag, { name: 'never flushed' });
        await world.trail.record({ action: 'tenant_mismatch', details: { named: 'globex' } });
        throw new Error('refused');
      });
      await expect(work).rejects.toThrow('refused');
      expect(await world.entries()).toMatchObject([
        {
          action: 'tenant_mismatch',
          entityName: null,
          entityId: null,
          actorId: 'u-1',
          changes: { named: { old: null, new: 'globex' } },
        },
      ]);
      expect(await world.as((em) => em.count(Tag, {}))).toBe(0);
    },
  },
  {
    title: 'makes an event part of the transaction that it is recorded in',
    control: 'detachedTrail',
    async run(world) {
      const record = (action: string, then: () => Promise<unknown>) =>
        world.as((em) =>
          em.transactional(async () => {
            await world.trail.record({ action, entity: 'Report', entityId: '7', reason: 'asked for' });
            await then();
          }),
        );
      await record('report_read', () => Promise.resolve());
      await expect(record('report_lost', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
      expect(await world.entries()).toMatchObject([
        { action: 'report_read', entityName: 'Report', entityId: '7', reason: 'asked for' },
      ]);
    },
  },
];
