import { expect } from '@jest/globals';
import { raw } from '@mikro-orm/core';
import { bulkDelete, bulkInsert, bulkUpdate, bulkUpsert, Money } from '#libs/persistence';
import { Book, CardPayment, Payment, Product, Tag } from '#libs/testing';
import { Account } from '../audit.model.js';
import type { AuditCase } from '../audit-case.js';
import type { AuditWorld, SeenEntry } from '../audit-world.js';
import { aBook } from './changes.cases.js';

const bookRow = (sku: string, rest: object = {}) => ({
  sku,
  name: 'Dune',
  price: new Money(100, 'EUR'),
  isbn: '978',
  ...rest,
});

/** Books by sku, and their ids. */
async function someBooks(world: AuditWorld, ...skus: string[]): Promise<Record<string, string>> {
  const books = await world.write((em) => skus.map((sku) => aBook(em, { sku, stock: 5 })));
  return Object.fromEntries(books.map((book) => [book.sku, book.id]));
}

const summary = (entries: readonly SeenEntry[]) =>
  entries.map(({ action, entityName }) => `${action} ${entityName}`).sort();
const of = (entries: readonly SeenEntry[], id: string | undefined) =>
  entries.find(({ entityId }) => entityId === id)?.changes;

export const bulkCases: AuditCase[] = [
  {
    title: 'records every row of a bulk insert as a flush would, both tables in one entry',
    control: 'silent',
    async run(world) {
      await world.write((em) => aBook(em, { sku: 'flushed' }));
      await world.as((em) => bulkInsert(em, Book, [bookRow('b-1'), bookRow('b-2', { labels: ['new'] })]));
      const entries = await world.entries();
      expect(summary(entries)).toEqual(['create Book', 'create Book', 'create Book']);
      const [flushed, one, two] = entries;
      expect(Object.keys(one?.changes ?? {}).sort()).toEqual(Object.keys(flushed?.changes ?? {}).sort());
      expect(two?.changes).toMatchObject({ labels: { old: null, new: ['new'] }, isbn: { old: null, new: '978' } });
    },
  },
  {
    title: 'records of an upsert which rows are new and which changed, with old values, and none that did not',
    control: 'silent',
    async run(world) {
      const ids = await someBooks(world, 'changed', 'same');
      const rows = [bookRow('changed', { name: 'Dune II' }), { sku: 'same', stock: 5 }, bookRow('new')];
      const entries = await world.entriesOf(() => world.as((em) => bulkUpsert(em, Book, rows, { by: ['sku'] })));
      expect(summary(entries)).toEqual(['create Book', 'update Book']);
      expect(of(entries, ids.changed)).toMatchObject({
        name: { old: 'Dune', new: 'Dune II' },
        'price.amount': { old: 4999, new: 100 },
        version: { old: 1, new: 2 },
      });
    },
  },
  {
    title: 'records every row of a bulk update with its own old and new values, of expressions the results',
    control: 'silent',
    async run(world) {
      const ids = await someBooks(world, 'one', 'two', 'three');
      await world.as((em) => bulkUpdate(em, Book, [{ sku: 'two', stock: 9 }], { by: ['sku'] }));
      const entries = await world.entriesOf(() =>
        world.as((em) => bulkUpdate(em, Product, { where: { sku: ['one', 'two'] }, set: { stock: raw('stock - 2') } })),
      );
      expect(summary(entries)).toEqual(['update Book', 'update Book']);
      expect(of(entries, ids.one)).toMatchObject({ stock: { old: 5, new: 3 }, version: { old: 1, new: 2 } });
      expect(of(entries, ids.two)).toMatchObject({ stock: { old: 9, new: 7 }, version: { old: 2, new: 3 } });
    },
  },
  {
    title: 'records every row of a bulk delete with its last state, and the links that go with it',
    control: 'silent',
    async run(world) {
      const { id, tag } = await world.write((em) => {
        const book = aBook(em, { sku: 'linked' });
        const tag = em.create(Tag, { name: 'one' });
        book.tags.add(tag);
        return { id: book.id, tag: tag.id };
      });
      await someBooks(world, 'other');
      const entries = await world.entriesOf(() => world.as((em) => bulkDelete(em, Product, { where: {} })));
      expect(summary(entries)).toEqual(['delete Book', 'delete Book']);
      expect(of(entries, id)).toMatchObject({
        sku: { old: 'linked', new: null },
        isbn: { old: '978', new: null },
        tags: { added: [], removed: [tag] },
      });
    },
  },
  {
    title: 'records bulk writes of single-table classes by their concrete class, and no secret',
    control: 'talkative',
    async run(world) {
      await world.as(async (em) => {
        await bulkInsert(em, CardPayment, [{ amount: new Money(1, 'EUR'), lastFour: '4242' }]);
        await bulkInsert(em, Account, [{ name: 'Acme', apiKey: 'key-of-acme', passwordHash: 'hash-of-acme' }]);
        await bulkUpdate(em, Account, { where: {}, set: { apiKey: 'key-of-globex' } });
        await bulkDelete(em, Payment, { where: {} });
      });
      const entries = await world.entries();
      expect(summary(entries)).toEqual([
        'create Account',
        'create CardPayment',
        'delete CardPayment',
        'update Account',
      ]);
      const update = entries.find(({ action }) => action === 'update');
      expect(update?.changes.apiKey).toEqual({ secret: true });
      const everything = JSON.stringify(
        await world.execute('select * from audit_entry where tenant_id = ?', [world.tenant.id]),
      );
      for (const secret of ['key-of', 'hash-of']) expect(everything).not.toContain(secret);
    },
  },
  {
    title: 'records nothing of a bulk write that is rolled back, with its batch or with the transaction around it',
    control: 'outside',
    async run(world) {
      await someBooks(world, 'taken');
      const before = await world.entries();
      const refused = world.as((em) => bulkInsert(em, Book, [bookRow('free'), bookRow('taken')]));
      await expect(refused).rejects.toMatchObject({ code: 'bulk_row_refused' });
      const abandoned = world.as((em) =>
        em.transactional(async (inner) => {
          inner.create(Tag, { name: 'flushed' });
          await inner.flush();
          await bulkInsert(inner, Book, [bookRow('b-1')]);
          throw new Error('on purpose');
        }),
      );
      await expect(abandoned).rejects.toThrow('on purpose');
      expect(await world.entries()).toEqual(before);
    },
  },
];
