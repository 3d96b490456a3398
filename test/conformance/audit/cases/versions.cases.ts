import { setTimeout as delay } from 'node:timers/promises';
import { expect } from '@jest/globals';
import type { EntityClass } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { RevertConflictError, type RevertResult, VersionNotFoundError } from '#libs/audit';
import { runAs } from '#libs/context';
import { Money } from '#libs/persistence';
import { Book, Category, Product, Tag } from '#libs/testing';
import { Account } from '../audit.model.js';
import type { AuditCase } from '../audit-case.js';
import type { AuditWorld } from '../audit-world.js';
import { aBook } from './changes.cases.js';

const load = <E extends object>(em: SqlEntityManager, entity: EntityClass<E>, id: string): Promise<E> =>
  em.findOneOrFail(entity, { id } as never);

/** One change after the other, each in a millisecond of its own. */
async function change<E extends object>(
  world: AuditWorld,
  entity: EntityClass<E>,
  id: string,
  work: (it: E, em: SqlEntityManager) => unknown,
): Promise<void> {
  await delay(2);
  await world.write(async (em) => void (await work(await load(em, entity, id), em)));
}

const remove = (world: AuditWorld, entity: EntityClass<object>, id: string) =>
  change(world, entity, id, (it, em) => em.remove(it));

/** A tag that was called one, two, three, and is gone. */
async function aTagWithAPast(world: AuditWorld): Promise<string> {
  const { id } = await world.write((em) => em.create(Tag, { name: 'one' }));
  await change(world, Tag, id, (tag) => Object.assign(tag, { name: 'two' }));
  await change(world, Tag, id, (tag) => Object.assign(tag, { name: 'three' }));
  await remove(world, Tag, id);
  return id;
}

const stateAt = (world: AuditWorld, entity: EntityClass, id: string, at: Date | number) =>
  world.as(() => world.trail.stateAt(entity, id, at));

const revert = (world: AuditWorld, entity: EntityClass, id: string, version: number, options = {}) =>
  world.as(() => world.trail.revert(entity, id, version, options));

export const versionCases: AuditCase[] = [
  {
    title: 'lists the versions of an entity, newest first, page by page, numbered for good',
    control: 'silent',
    async run(world) {
      const id = await aTagWithAPast(world);
      const page = (before?: number) => world.as(() => world.trail.versions(Tag, id, { limit: 3, before }));
      const [first, second] = [await page(), await page(2)];
      expect(first.versions.map(({ version, action }) => [version, action])).toEqual([
        [4, 'delete'],
        [3, 'update'],
        [2, 'update'],
      ]);
      expect(first.nextBefore).toBe(2);
      expect(second).toMatchObject({ versions: [{ version: 1, action: 'create' }], nextBefore: null });
      expect(second.versions[0]?.entry.getChanges()).toEqual({ name: { old: null, new: 'one' } });
      expect(await page(1)).toEqual({ versions: [], nextBefore: null });
    },
  },
  {
    title: 'knows the versions of a kind by its base class, and none by another class',
    control: 'silent',
    async run(world) {
      const { id } = await world.write((em) => aBook(em));
      const countOf = async (entity: EntityClass) =>
        (await world.as(() => world.trail.versions(entity, id))).versions.length;
      expect([await countOf(Product), await countOf(Book), await countOf(Tag)]).toEqual([1, 1, 0]);
    },
  },
  {
    title: 'gives the state at a time: nothing before the creation, the last values after the deletion',
    control: 'presentTrail',
    async run(world) {
      const id = await aTagWithAPast(world);
      const times = (await world.entries()).map(({ occurredAt }) => (occurredAt as Date).getTime());
      const [created, , changed, deleted] = times as [number, number, number, number];
      const at = (time: number) => stateAt(world, Tag, id, new Date(time));
      expect(await at(created - 1)).toBeUndefined();
      expect(await at(created)).toMatchObject({ version: 1, exists: true, values: { name: 'one' } });
      expect(await at(changed - 1)).toMatchObject({ version: 2, exists: true, values: { name: 'two' } });
      expect(await at(deleted - 1)).toMatchObject({ version: 3, values: { name: 'three' }, isComplete: true });
      expect(await at(deleted)).toMatchObject({ version: 4, exists: false, values: { name: 'three' } });
      expect(await at(deleted + 60_000)).toMatchObject({ version: 4, exists: false });
    },
  },
  {
    title: 'gives every stored value and link of a version, across both tables of a kind',
    control: 'presentTrail',
    async run(world) {
      const { id, tags } = await world.write((em) => {
        const book = aBook(em, { labels: ['new'], attributes: { pages: 7 } });
        const all = ['a', 'b'].map((name) => em.create(Tag, { name: `${name}${book.id}` }));
        book.tags.add(all);
        return { id: book.id, tags: all.map((tag) => tag.id) };
      });
      await change(world, Book, id, async (book) => {
        const items = await book.tags.loadItems();
        for (const tag of items) if (tag.id === tags[0]) book.tags.remove(tag);
        Object.assign(book, { price: new Money(1, 'USD'), isbn: '979', attributes: undefined });
      });
      const first = await stateAt(world, Product, id, 1);
      expect(first).toMatchObject({
        entityName: 'Book',
        values: { 'price.amount': 4999, 'price.currency': 'EUR', isbn: '978', labels: ['new'], version: 1 },
        withheld: [],
      });
      expect(first?.values.attributes).toEqual({ pages: 7 });
      expect([...(first?.collections.tags ?? [])].sort()).toEqual([...tags].sort());
      const second = await stateAt(world, Product, id, 2);
      expect(second).toMatchObject({
        values: { 'price.amount': 1, 'price.currency': 'USD', isbn: '979', attributes: null, version: 2 },
        collections: { tags: [tags[1]] },
      });
    },
  },
  {
    title: 'tells what differs between any two versions, in either direction',
    control: 'presentTrail',
    async run(world) {
      const id = await aTagWithAPast(world);
      const diff = (from: number, to: number) => world.as(() => world.trail.diff(Tag, id, from, to));
      expect(await diff(1, 3)).toEqual({ name: { old: 'one', new: 'three' } });
      expect(await diff(3, 1)).toEqual({ name: { old: 'three', new: 'one' } });
      expect(await diff(2, 4)).toEqual({ name: { old: 'two', new: null } });
      expect(await diff(2, 2)).toEqual({});
      await expect(diff(1, 5)).rejects.toThrow(VersionNotFoundError);
      await expect(diff(0, 1)).rejects.toThrow(VersionNotFoundError);
    },
  },
  {
    title: 'puts an old version back as a new one, on record with the version it came from',
    control: 'presentTrail',
    async run(world) {
      const { id, tag, category } = await world.write((em) => {
        const own = em.create(Category, { name: 'Novels' });
        const book = aBook(em, { labels: ['new'], attributes: { pages: 7 }, category: own });
        const tag = em.create(Tag, { name: `kept ${book.id}` });
        book.tags.add(tag);
        return { id: book.id, tag: tag.id, category: own.id };
      });
      const before = await stateAt(world, Book, id, 1);
      await change(world, Book, id, async (book) => {
        await book.tags.init();
        book.tags.removeAll();
        const changes = { price: new Money(1, 'EUR'), isbn: '979', name: 'x', category: null, attributes: { a: 1 } };
        Object.assign(book, changes, { labels: null });
      });
      let result: RevertResult | undefined;
      const entries = await world.entriesOf(async () => {
        result = await revert(world, Product, id, 1);
      });
      expect(result?.undeleted).toBe(false);
      expect(result?.restored.toSorted()).toEqual([
        'attributes',
        'category',
        'isbn',
        'labels',
        'name',
        'price.amount',
        'tags',
      ]);
      expect(entries.map(({ action }) => action).sort()).toEqual(['revert', 'update']);
      const [event, update] = entries.toSorted((a, b) => String(a.action).localeCompare(String(b.action)));
      expect(event).toMatchObject({ entityName: 'Book', entityId: id, actorId: 'u-1' });
      expect(event?.changes).toEqual({ toVersion: { old: null, new: 1 } });
      expect(update?.changes).toMatchObject({
        'price.amount': { old: 1, new: 4999 },
        isbn: { old: '979', new: '978' },
        category: { old: null, new: category },
        tags: { added: [tag], removed: [] },
        version: { old: 2, new: 3 },
      });
      const after = await stateAt(world, Book, id, 3);
      const constant = ({ version: _, updatedAt: __, ...rest }: Record<string, unknown>) => rest;
      expect(constant(after?.values ?? {})).toEqual(constant(before?.values ?? {}));
      expect(after?.collections).toEqual(before?.collections);
      const book = await world.as((em) => load(em, Book, id));
      expect(book).toMatchObject({ name: 'Dune', isbn: '978', version: 3, labels: ['new'], attributes: { pages: 7 } });
      expect(book.price).toEqual(new Money(4999, 'EUR'));
    },
  },
  {
    title: 'leaves a secret as it is when a version is put back, and says so',
    control: 'presentTrail',
    async run(world) {
      const { id } = await world.write((em) =>
        em.create(Account, { name: 'Acme', apiKey: 'k-1', limit: new Money(5, 'GBP') }),
      );
      await change(world, Account, id, (it) =>
        Object.assign(it, { name: 'Globex', apiKey: 'k-2', limit: new Money(5, 'EUR') }),
      );
      const state = await stateAt(world, Account, id, 1);
      expect(state?.withheld.toSorted()).toEqual(['apiKey', 'limit.amount', 'passwordHash']);
      const result = await revert(world, Account, id, 1);
      expect(result.skipped.toSorted()).toEqual(['apiKey', 'limit.amount', 'passwordHash']);
      const account = await world.as((em) => load(em, Account, id));
      expect(account).toMatchObject({ name: 'Acme', apiKey: 'k-2', limit: { amount: 5, currency: 'GBP' } });
      await remove(world, Account, id);
      const undelete = await revert(world, Account, id, 1).catch((error: unknown) => error);
      expect((undelete as RevertConflictError).conflicts.map(({ property }) => property)).toEqual(['limit.amount']);
    },
  },
  {
    title: 'makes a deleted entity again under its old id, its links included',
    control: 'presentTrail',
    async run(world) {
      const { id, tag, createdAt } = await world.write((em) => {
        const book = aBook(em, { labels: ['new'] });
        const tag = em.create(Tag, { name: `kept ${book.id}` });
        book.tags.add(tag);
        return { id: book.id, tag: tag.id, createdAt: book.createdAt };
      });
      await change(world, Book, id, (book) => Object.assign(book, { name: 'changed' }));
      await remove(world, Product, id);
      const result = await revert(world, Product, id, 1);
      expect(result).toMatchObject({ undeleted: true, skipped: [] });
      const book = await world.as(async (em) => {
        const found = await load(em, Book, id);
        await found.tags.init();
        return found;
      });
      expect(book).toMatchObject({ id, name: 'Dune', isbn: '978', labels: ['new'], version: 1, createdAt });
      expect(book.tags.getItems().map((it) => it.id)).toEqual([tag]);
      const { versions } = await world.as(() => world.trail.versions(Product, id));
      expect(versions.map(({ action }) => action)).toEqual(expect.arrayContaining(['create', 'delete', 'update']));
      expect(await stateAt(world, Product, id, versions.length)).toMatchObject({
        exists: true,
        values: { name: 'Dune', version: 1 },
        collections: { tags: [tag] },
      });
    },
  },
  {
    title: 'lists everything that keeps a version from being put back, and writes nothing',
    control: 'presentTrail',
    async run(world) {
      const { id, category } = await world.write((em) => {
        const own = em.create(Category, { name: 'Novels' });
        return { id: aBook(em, { sku: 'mine', category: own }).id, category: own.id };
      });
      await change(world, Book, id, (book) => Object.assign(book, { sku: 'moved', category: null }));
      await remove(world, Category, category);
      await world.write((em) => aBook(em, { sku: 'mine' }));
      const before = await world.entries();
      const failure = await revert(world, Book, id, 1).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(RevertConflictError);
      const { conflicts } = failure as RevertConflictError;
      expect(conflicts.map(({ property }) => property).sort()).toEqual(['category', 'sku']);
      expect(await world.entries()).toEqual(before);
      const book = await world.as((em) => load(em, Book, id));
      expect([book.sku, book.category ?? null]).toEqual(['moved', null]);
    },
  },
  {
    title: 'refuses to put a deletion back',
    control: 'presentTrail',
    async run(world) {
      const id = await aTagWithAPast(world);
      await revert(world, Tag, id, 2);
      await expect(revert(world, Tag, id, 4)).rejects.toThrow(RevertConflictError);
      expect(await world.as((em) => load(em, Tag, id))).toMatchObject({ name: 'two' });
    },
  },
  {
    title: 'tells in a dry run what it would do, and writes nothing',
    control: 'presentTrail',
    async run(world) {
      const id = await aTagWithAPast(world);
      const before = await world.entries();
      expect(await revert(world, Tag, id, 2, { dryRun: true })).toEqual({
        restored: ['name'],
        skipped: [],
        undeleted: true,
      });
      expect(await world.entries()).toEqual(before);
      expect(await world.as((em) => em.count(Tag, {}))).toBe(0);
    },
  },
  {
    title: "knows no version of another tenant's entity",
    control: 'carelessHistory',
    async run(world) {
      const id = await aTagWithAPast(world);
      const tenant = await world.another();
      const asGlobex = <T>(fn: () => Promise<T>) => runAs({ tenant, actor: world.actor }, fn);
      expect(await asGlobex(() => world.trail.versions(Tag, id))).toEqual({ versions: [], nextBefore: null });
      expect(await asGlobex(() => world.trail.stateAt(Tag, id, 1))).toBeUndefined();
      await expect(asGlobex(() => world.trail.diff(Tag, id, 1, 2))).rejects.toThrow(VersionNotFoundError);
      await expect(asGlobex(() => world.trail.revert(Tag, id, 1))).rejects.toThrow(VersionNotFoundError);
      expect(await world.as((em) => em.count(Tag, {}))).toBe(0);
    },
  },
];
