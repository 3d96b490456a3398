import { expect } from '@jest/globals';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { transactional } from '#libs/persistence';
import { Book, Category, Tag } from '#libs/testing';
import { Account, Device, Profile, SearchTerm } from '../audit.model.js';
import type { AuditCase } from '../audit-case.js';
import type { AuditWorld, SeenEntry } from '../audit-world.js';
import { aBook } from './changes.cases.js';

const load = (em: SqlEntityManager, id: string) => em.findOneOrFail(Account, { id } as never);
const summary = (entries: readonly SeenEntry[]) =>
  entries.map(({ action, entityName }) => `${action} ${entityName}`).sort();

/** An account with a profile and two devices, and their ids. */
async function anAccount(world: AuditWorld) {
  return world.write((em) => {
    const account = em.create(Account, { name: 'Acme' });
    const profile = em.create(Profile, { account, nickname: 'acme' });
    for (const label of ['phone', 'laptop']) em.create(Device, { account, label });
    return { id: account.id, profile: profile.id };
  });
}

/** What the engine's driver reports when others were in the way. */
function aConflict(em: SqlEntityManager): Error {
  const platform = em.getPlatform().constructor.name;
  const facts = platform.startsWith('Sqlite')
    ? { code: 'SQLITE_BUSY' }
    : platform.startsWith('Postgre')
      ? { code: '40001' }
      : { errno: 1213 };
  return Object.assign(new Error('others were in the way'), facts);
}

export const relationCases: AuditCase[] = [
  {
    title: 'records a one-to-one relation on its owner, set from either side',
    control: 'silent',
    async run(world) {
      const { id, profile } = await anAccount(world);
      const other = await world.write((em) => em.create(Account, { name: 'Globex' }));
      const fromOwner = await world.entriesOf(() =>
        world.write(async (em) => {
          const found = await em.findOneOrFail(Profile, { id: profile } as never);
          em.assign(found, { account: other.id } as never);
        }),
      );
      expect(fromOwner.map(({ entityName, changes }) => [entityName, changes])).toEqual([
        ['Profile', { account: { old: id, new: other.id } }],
      ]);
      const fromInverse = await world.entriesOf(() =>
        world.write(async (em) => {
          const found = await em.findOneOrFail(Profile, { id: profile } as never);
          em.assign(await load(em, id), { profile: found } as never);
        }),
      );
      expect(fromInverse.map(({ entityName, changes }) => [entityName, changes])).toEqual([
        ['Profile', { account: { old: other.id, new: id } }],
      ]);
    },
  },
  {
    title: 'records each row that the database deletes in cascade, with its last state',
    control: 'silent',
    async run(world) {
      const { id, profile } = await anAccount(world);
      const entries = await world.entriesOf(() => world.write(async (em) => void em.remove(await load(em, id))));
      expect(summary(entries)).toEqual(['delete Account', 'delete Device', 'delete Device', 'delete Profile']);
      expect(entries.find(({ entityId }) => entityId === profile)?.changes).toEqual({
        account: { old: id, new: null },
        nickname: { old: 'acme', new: null },
      });
    },
  },
  {
    title: 'records a repeated transaction once, by what its last attempt did',
    control: 'outside',
    async run(world) {
      let attempt = 0;
      await world.as((em) =>
        transactional(em, async (inner) => {
          attempt++;
          inner.create(Tag, { name: `attempt ${attempt}` });
          await inner.flush();
          if (attempt < 3) throw aConflict(em);
        }),
      );
      expect((await world.entries()).map(({ changes }) => changes.name)).toEqual([{ old: null, new: 'attempt 3' }]);
    },
  },
  {
    title: 'keeps what a custom type encrypts encrypted, in the row, in the trail and in states',
    control: 'silent',
    async run(world) {
      const { id } = await world.write((em) => em.create(Account, { name: 'Acme', iban: 'DE02 1203' }));
      await world.write(async (em) => void Object.assign(await load(em, id), { iban: 'DE02 9999' }));
      expect(await world.as(async (em) => (await load(em, id)).iban)).toBe('DE02 9999');
      const [created, updated] = await world.entries();
      expect(created?.changes.iban).toEqual({ old: null, new: expect.stringMatching(/^sealed:/) });
      expect(updated?.changes.iban).toMatchObject({ old: expect.stringMatching(/^sealed:/) });
      const state = await world.as(() => world.trail.stateAt(Account, id, 2));
      expect(state?.values.iban).toMatch(/^sealed:/);
      const all = JSON.stringify([await world.execute('select * from audit_entry'), state]);
      expect(all).not.toContain('DE02');
      await world.as(() => world.trail.revert(Account, id, 1));
      expect(await world.as(async (em) => (await load(em, id)).iban)).toBe('DE02 1203');
    },
  },
  {
    title: 'gives relations as they were, to targets deleted since and to ones that are not audited',
    control: 'presentTrail',
    async run(world) {
      const made = await world.write((em) => {
        const category = em.create(Category, { name: 'Novels' });
        const book = aBook(em, { category });
        const tag = em.create(Tag, { name: 'one' });
        book.tags.add(tag);
        const term = em.create(SearchTerm, { term: 'dune' });
        const account = em.create(Account, { name: 'Acme', lastSearch: term } as never);
        return { book: book.id, category: category.id, tag: tag.id, term: term.id, account: account.id };
      });
      await world.write(async (em) => {
        Object.assign(await em.findOneOrFail(Book, { id: made.book } as never), { category: null });
        Object.assign(await load(em, made.account), { lastSearch: null });
        await em.flush();
        for (const [entity, id] of [
          [Category, made.category],
          [Tag, made.tag],
          [SearchTerm, made.term],
        ] as const)
          em.remove(await em.findOneOrFail<object>(entity, { id } as never));
      });
      const stateAt = (...args: Parameters<typeof world.trail.stateAt>) => world.as(() => world.trail.stateAt(...args));
      const first = await stateAt(Book, made.book, 1);
      expect(first).toMatchObject({ values: { category: made.category }, collections: { tags: [made.tag] } });
      expect(await stateAt(Category, made.category, 1)).toMatchObject({ exists: true, values: { name: 'Novels' } });
      expect(await stateAt(Category, made.category, new Date())).toMatchObject({ exists: false });
      const last = await stateAt(Book, made.book, new Date());
      expect(last).toMatchObject({ values: { category: null }, collections: { tags: [] } });
      expect(await stateAt(Account, made.account, 1)).toMatchObject({ values: { lastSearch: made.term } });
      expect(await stateAt(SearchTerm, made.term, 1)).toBeUndefined();
    },
  },
];
