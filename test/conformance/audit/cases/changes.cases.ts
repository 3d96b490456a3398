import { expect } from '@jest/globals';
import { raw } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { announceChanges, Money } from '#libs/persistence';
import { Book, CardPayment, Category, Order, OrderLine, Product, Tag } from '#libs/testing';
import { Account, SearchTerm } from '../audit.model.js';
import type { AuditCase } from '../audit-case.js';
import type { AuditWorld } from '../audit-world.js';

export function aBook(em: SqlEntityManager, rest: object = {}): Book {
  const book = { sku: `b-${Math.random()}`, name: 'Dune', price: new Money(4999, 'EUR'), isbn: '978', ...rest };
  return em.create(Book, book as never);
}

const aTag = (em: SqlEntityManager, name: string) => em.create(Tag, { name });

/** A saved book with tags, and its ids. */
async function aTaggedBook(world: AuditWorld, ...names: string[]) {
  return world.write((em) => {
    const tags = names.map((name) => aTag(em, name));
    const book = aBook(em);
    book.tags.add(tags);
    return { id: book.id, tags: tags.map((tag) => tag.id) };
  });
}

const load = (em: SqlEntityManager, id: string) => em.findOneOrFail(Book, { id } as never);

export const changeCases: AuditCase[] = [
  {
    title: 'records a created row with every stored property, as one entry for all its tables',
    control: 'silent',
    async run(world) {
      const book = await world.write((em) => aBook(em, { sku: 'b-1', labels: ['new'] }));
      const [entry, ...others] = await world.entries();
      expect(others).toEqual([]);
      expect(entry).toMatchObject({
        action: 'create',
        entityName: 'Book',
        entityId: book.id,
        tenantId: world.tenant.id,
      });
      expect(entry?.changes).toEqual({
        type: { old: null, new: 'book' },
        sku: { old: null, new: 'b-1' },
        name: { old: null, new: 'Dune' },
        'price.amount': { old: null, new: 4999 },
        'price.currency': { old: null, new: 'EUR' },
        stock: { old: null, new: 0 },
        labels: { old: null, new: ['new'] },
        attributes: { old: null, new: null },
        category: { old: null, new: null },
        version: { old: null, new: 1 },
        createdAt: { old: null, new: book.createdAt.toISOString() },
        updatedAt: { old: null, new: book.updatedAt.toISOString() },
        isbn: { old: null, new: '978' },
      });
    },
  },
  {
    title: 'records an update with what changed, the final version and time included, and nothing else',
    control: 'silent',
    async run(world) {
      const { id } = await world.write((em) => aBook(em));
      const [entry] = await world.entriesOf(() =>
        world.write(async (em) => {
          (await load(em, id)).name = 'Dune II';
        }),
      );
      const book = await world.as((em) => load(em, id));
      expect(entry).toMatchObject({ action: 'update', entityName: 'Book', entityId: id });
      expect(entry?.changes).toEqual({
        name: { old: 'Dune', new: 'Dune II' },
        version: { old: 1, new: 2 },
        updatedAt: { old: expect.any(String), new: book.updatedAt.toISOString() },
      });
    },
  },
  {
    title: 'records what a hook changes',
    control: 'silent',
    async run(world) {
      const { id } = await world.write((em) => em.create(Account, { name: 'Acme' }));
      const [entry] = await world.entriesOf(() =>
        world.write(async (em) => {
          (await em.findOneOrFail(Account, { id } as never)).name = 'Globex';
        }),
      );
      expect(entry?.changes).toEqual({ name: { old: 'Acme', new: 'Globex' }, slug: { old: null, new: 'globex' } });
    },
  },
  {
    title: 'records nothing when what is stored is assigned again',
    control: 'eager',
    async run(world) {
      const { id, createdAt } = await world.write((em) => aBook(em));
      const entries = await world.entriesOf(() =>
        world.write(async (em) => {
          const book = await load(em, id);
          book.name = 'Dune';
          book.price = new Money(4999, 'EUR');
          Object.assign(book, { createdAt: new Date(createdAt.toISOString().replace('Z', '+00:00')) });
        }),
      );
      expect(entries).toEqual([]);
    },
  },
  {
    title: 'records nothing when the keys of a JSON object come in another order',
    control: 'textualJson',
    async run(world) {
      const { id } = await world.write((em) => aBook(em, { attributes: { b: 1, a: { y: 1, x: 2 } } }));
      const change = () =>
        world.write(async (em) => {
          (await load(em, id)).attributes = { a: { x: 2, y: 1 }, b: 1 };
        });
      expect(await world.entriesOf(change)).toEqual([]);
    },
  },
  {
    title: 'records the result of an SQL expression',
    control: 'silent',
    async run(world) {
      const [book, account] = await world.write((em) => [
        aBook(em, { stock: 5 }),
        em.create(Account, { name: 'Acme' }),
      ]);
      const entries = await world.entriesOf(() =>
        world.write(async (em) => {
          const [one, other] = [await load(em, book.id), await em.findOneOrFail(Account, { id: account.id } as never)];
          Object.assign(one, { stock: raw('stock - 2') });
          Object.assign(other, { balance: raw('balance + 40') });
        }),
      );
      const of = (id: string) => entries.find(({ entityId }) => entityId === id)?.changes;
      expect(of(book.id)).toMatchObject({ stock: { old: 5, new: 3 }, version: { old: 1, new: 2 } });
      expect(of(account.id)).toMatchObject({ balance: { old: 0, new: 40 } });
    },
  },
  {
    title: 'records true old values of what was not loaded',
    control: 'silent',
    async run(world) {
      const [{ id }, account] = await world.write((em) => [
        aBook(em),
        em.create(Account, { name: 'Acme', balance: 3 }),
      ]);
      const entries = await world.entriesOf(() =>
        world.write(async (em) => {
          const book = await em.findOneOrFail(Book, { id } as never, { fields: ['sku', 'version'] });
          Object.assign(book, { name: 'Dune II' });
          em.getReference(Account, account.id as never).balance = 9;
        }),
      );
      const of = (name: string) => entries.find(({ entityName }) => entityName === name)?.changes;
      expect(of('Book')).toMatchObject({ name: { old: 'Dune', new: 'Dune II' } });
      expect(of('Account')).toMatchObject({ balance: { old: 3, new: 9 } });
    },
  },
  {
    title: 'records a deleted row with its whole last state, removed by reference too',
    control: 'silent',
    async run(world) {
      const [one, two] = await world.write((em) => [aBook(em, { sku: 'one' }), aBook(em, { sku: 'two' })]);
      const entries = await world.entriesOf(() =>
        world.write(async (em) => {
          em.remove(await load(em, one.id));
          em.remove(em.getReference(Product, two.id as never));
        }),
      );
      expect(entries.map(({ action, entityName }) => [action, entityName])).toEqual([
        ['delete', 'Book'],
        ['delete', 'Book'],
      ]);
      const of = (id: string) => entries.find(({ entityId }) => entityId === id)?.changes;
      for (const [book, sku] of [
        [one, 'one'],
        [two, 'two'],
      ] as const) {
        expect(Object.keys(of(book.id) ?? {})).toHaveLength(13);
        expect(of(book.id)).toMatchObject({
          sku: { old: sku, new: null },
          isbn: { old: '978', new: null },
          'price.amount': { old: 4999, new: null },
          version: { old: 1, new: null },
        });
      }
    },
  },
  {
    title: 'names the concrete class of a row that was found by its base class',
    control: 'silent',
    async run(world) {
      const [book, payment] = await world.write((em) => [
        aBook(em),
        em.create(CardPayment, { amount: new Money(100, 'EUR') } as never),
      ]);
      const entries = await world.entriesOf(() =>
        world.write(async (em) => {
          const found = (await em.findOneOrFail(Product, { id: book.id } as never)) as Book;
          found.isbn = '979';
          found.name = 'Dune II';
          const card = await em.findOneOrFail(CardPayment, { id: payment.id } as never);
          card.lastFour = '4242';
        }),
      );
      const of = (name: string) => entries.filter(({ entityName }) => entityName === name);
      expect(of('Book')).toHaveLength(1);
      expect(of('Book')[0]?.changes).toMatchObject({ isbn: { new: '979' }, name: { new: 'Dune II' } });
      expect(of('CardPayment')[0]?.changes).toEqual({ lastFour: { old: null, new: '4242' } });
    },
  },
  {
    title: 'records a to-one relation by the key of its target',
    control: 'silent',
    async run(world) {
      const [{ id }, category] = await world.write((em) => [aBook(em), em.create(Category, { name: 'Books' })]);
      const move = (target: string | null) =>
        world.entriesOf(() =>
          world.write(async (em) => {
            em.assign(await load(em, id), { category: target } as never);
          }),
        );
      const [[set], [cleared]] = [await move(category.id), await move(null)];
      expect(set?.changes).toMatchObject({ category: { old: null, new: category.id } });
      expect(cleared?.changes).toMatchObject({ category: { old: category.id, new: null } });
    },
  },
  {
    title: 'records links of a loaded many-to-many collection on their owner',
    control: 'forgetful',
    async run(world) {
      const {
        id,
        tags: [one = '', two = ''],
      } = await aTaggedBook(world, 'one', 'two');
      const three = await world.write((em) => aTag(em, 'three'));
      const entries = await world.entriesOf(() =>
        world.write(async (em) => {
          const book = await em.findOneOrFail(Book, { id } as never, { populate: ['tags'] });
          book.tags.set([em.getReference(Tag, two as never), em.getReference(Tag, three.id as never)]);
        }),
      );
      expect(entries).toHaveLength(1);
      expect(entries[0]).toMatchObject({ action: 'update', entityName: 'Book', entityId: id });
      expect(entries[0]?.changes).toEqual({ tags: { added: [three.id], removed: [one] } });
    },
  },
  {
    title: 'records links of a collection that was not loaded: added, replaced and cleared',
    control: 'silent',
    async run(world) {
      const {
        id,
        tags: [one = '', two = ''],
      } = await aTaggedBook(world, 'one', 'two');
      const three = await world.write((em) => aTag(em, 'three'));
      const work = (act: (book: Book, tag: (id: string) => Tag) => void) =>
        world.entriesOf(() =>
          world.write(async (em) => act(await load(em, id), (tag) => em.getReference(Tag, tag as never))),
        );
      const [added] = await work((book, tag) => void book.tags.add(tag(one), tag(three.id)));
      expect(added?.changes).toEqual({ tags: { added: [three.id], removed: [] } });
      const [replaced] = await work((book, tag) => book.tags.set([tag(two)]));
      expect(replaced?.changes).toEqual({ tags: { added: [], removed: expect.arrayContaining([one, three.id]) } });
      const [cleared] = await work((book) => book.tags.removeAll());
      expect(cleared?.changes).toEqual({ tags: { added: [], removed: [two] } });
    },
  },
  {
    title: 'records links made from the inverse side as if they were made from the owner',
    control: 'forgetful',
    async run(world) {
      const { id } = await aTaggedBook(world);
      const tag = await world.write((em) => aTag(em, 'one'));
      const entries = await world.entriesOf(() =>
        world.write(async (em) => {
          const found = await em.findOneOrFail(Tag, { id: tag.id } as never);
          found.products.add(await em.findOneOrFail(Product, { id } as never));
        }),
      );
      expect(entries).toHaveLength(1);
      expect(entries[0]).toMatchObject({ entityName: 'Book', entityId: id });
      expect(entries[0]?.changes).toEqual({ tags: { added: [tag.id], removed: [] } });
    },
  },
  {
    title: 'records nothing for a link that was there already',
    control: 'eager',
    async run(world) {
      const {
        id,
        tags: [one = ''],
      } = await aTaggedBook(world, 'one');
      const entries = await world.entriesOf(() =>
        world.write(async (em) => void (await load(em, id)).tags.add(em.getReference(Tag, one as never))),
      );
      expect(entries).toEqual([]);
    },
  },
  {
    title: 'records the links that the database drops with a row',
    control: 'silent',
    async run(world) {
      const {
        id,
        tags: [one = '', two = ''],
      } = await aTaggedBook(world, 'one', 'two');
      const dropped = await world.entriesOf(() =>
        world.write((em) => void em.remove(em.getReference(Tag, one as never))),
      );
      expect(dropped.map(({ action, entityName }) => `${action} ${entityName}`).sort()).toEqual([
        'delete Tag',
        'update Book',
      ]);
      expect(dropped.find(({ entityId }) => entityId === id)?.changes).toEqual({ tags: { added: [], removed: [one] } });
      const [deleted] = await world.entriesOf(() => world.write(async (em) => void em.remove(await load(em, id))));
      expect(deleted?.changes).toMatchObject({ tags: { added: [], removed: [two] } });
    },
  },
  {
    title: 'records each orphan of a collection, loaded or not',
    control: 'silent',
    async run(world) {
      const anOrder = () =>
        world.write((em) => {
          const order = em.create(Order, {});
          const product = aBook(em);
          for (const quantity of [2, 3]) order.lines.add(em.create(OrderLine, { order, product, quantity }));
          return order.id;
        });
      for (const populate of [['lines'], []] as const) {
        const id = await anOrder();
        const entries = await world.entriesOf(() =>
          world.write(async (em) => {
            const order = await em.findOneOrFail(Order, { id } as never, { populate: populate as never });
            order.lines.removeAll();
          }),
        );
        expect(entries.map(({ action, entityName }) => `${action} ${entityName}`)).toEqual([
          'delete OrderLine',
          'delete OrderLine',
        ]);
        for (const { changes } of entries) expect(changes).toMatchObject({ order: { old: id, new: null } });
      }
    },
  },
  {
    title: 'records rows that bulk writes announce',
    control: 'silent',
    async run(world) {
      await world.as((em) =>
        em.transactional(async (transaction) => {
          const meta = transaction.getMetadata().get(Tag);
          const { id: tenantId } = world.tenant;
          await announceChanges(
            transaction,
            Array.from({ length: 3 }, (_, row) => ({
              kind: 'create',
              meta,
              key: { tenantId, id: `${row}` },
              new: { name: `tag ${row}` },
            })),
          );
        }),
      );
      expect(
        (await world.entries()).map(({ entityName, entityId, changes }) => [entityName, entityId, changes]),
      ).toEqual([0, 1, 2].map((row) => ['Tag', `${row}`, { name: { old: null, new: `tag ${row}` } }]));
    },
  },
  {
    title: 'records every row of a transaction that changes thousands',
    control: 'silent',
    async run(world) {
      const names = Array.from({ length: 1700 }, (_, row) => `tag ${row}`);
      await world.write((em) => {
        for (const name of names) aTag(em, name);
      });
      const entries = await world.entries();
      expect(entries.map(({ changes }) => changes.name)).toEqual(names.map((name) => ({ old: null, new: name })));
      expect(new Set(entries.map(({ id }) => id)).size).toBe(names.length);
    },
  },
  {
    title: 'records nothing of a class that is left out by name',
    control: 'talkative',
    async run(world) {
      await world.write((em) => em.create(SearchTerm, { term: 'dune' }));
      expect(await world.entries()).toEqual([]);
    },
  },
  {
    title: 'records nothing when only ignored properties change, and never their values',
    control: 'talkative',
    async run(world) {
      const { id } = await world.write((em) => em.create(Account, { name: 'Acme', lastSeenAt: new Date() }));
      const see = () =>
        world.write(async (em) => {
          (await em.findOneOrFail(Account, { id } as never)).slug = 'acme';
        });
      await see();
      const entries = await world.entriesOf(() =>
        world.write(async (em) => {
          (await em.findOneOrFail(Account, { id } as never)).lastSeenAt = new Date(0);
        }),
      );
      expect(entries).toEqual([]);
      for (const { changes } of await world.entries()) expect(changes).not.toHaveProperty('lastSeenAt');
    },
  },
  {
    title: 'records long texts, emoji and what JSON must escape, byte for byte',
    control: 'silent',
    async run(world) {
      const notes = `${'long '.repeat(120_000)}"quotes" \\ \u2028 手机 🦊 it's`;
      const { id } = await world.write((em) => em.create(Account, { name: 'Acme', notes }));
      const [entry] = await world.entries();
      expect(entry?.changes.notes).toEqual({ old: null, new: notes });
      const change = () =>
        world.write(async (em) => {
          (await em.findOneOrFail(Account, { id } as never)).notes = `${notes}!`;
        });
      expect((await world.entriesOf(change))[0]?.changes.notes).toEqual({ old: notes, new: `${notes}!` });
    },
  },
];
