import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { raw } from '@mikro-orm/core';
import { bulkDelete, bulkInsert, bulkUpdate, Money } from '#libs/persistence';
import { Book, Product, Tag } from '#libs/testing';
import { Account } from './audit.model.js';
import { type AuditWorld, anAuditWorld } from './audit-world.js';
import { aBook } from './cases/changes.cases.js';
import { eachPlace } from './each-place.js';

/** Books of a flush, and so each with an entry. */
async function someBooks(world: AuditWorld, count: number): Promise<string[]> {
  const books = await world.write((em) => Array.from({ length: count }, () => aBook(em, { stock: 5 })));
  return books.map(({ id }) => id).sort();
}

const told = (changes: object | undefined, name: string): unknown =>
  Reflect.get(Reflect.get(changes ?? {}, name), 'new');
const stateAt = (world: AuditWorld, id: string, at: Date | number) =>
  world.as(() => world.trail.stateAt(Product, id, at));

describe('audit with a limit of rows that have entries of their own', () => {
  eachPlace((strategy, engine) => {
    const aWorld = anAuditWorld(engine, { strategy, recorder: { maxRowEntries: 3 } });

    it('records each row of a batch up to the limit', async () => {
      const world = await aWorld();
      await someBooks(world, 3);
      const entries = await world.entriesOf(() =>
        world.as((em) => bulkUpdate(em, Book, { where: {}, set: { stock: 1 } })),
      );
      expect(entries.map(({ action }) => action)).toEqual(['update', 'update', 'update']);
    });

    it('records a larger batch as one entry with the keys, what was asked for, and that it stands for them', async () => {
      const world = await aWorld();
      const ids = await someBooks(world, 5);
      const set = { stock: raw('stock - 1'), name: 'Sold' };
      const entries = await world.entriesOf(() =>
        world.as((em) => bulkUpdate(em, Product, { where: { stock: { $gt: 2 } }, set: set as never })),
      );
      expect(entries).toMatchObject([{ action: 'bulk_update', entityName: 'Book', entityId: null, actorId: 'u-1' }]);
      const [{ changes } = {}] = entries;
      expect(told(changes, 'rows')).toBe(5);
      expect((told(changes, 'keys') as string[]).toSorted()).toEqual(ids);
      expect(told(changes, 'statement')).toEqual({
        kind: 'update',
        where: { stock: { $gt: 2 } },
        set: { stock: { sql: 'stock - 1', parameters: 0 }, name: 'Sold' },
      });
    });

    it('tells no secret of what was asked for', async () => {
      const world = await aWorld();
      await world.write((em) => {
        for (let row = 0; row < 5; row++) em.create(Account, { name: `account ${row}`, apiKey: 'key-of-acme' });
      });
      const where = { $or: [{ apiKey: 'key-of-acme' }, { apiKey: { $in: ['key-of-globex'] } }] };
      await world.as((em) => bulkUpdate(em, Account, { where, set: { apiKey: 'key-of-initech', balance: 3 } }));
      const all = JSON.stringify(
        await world.execute('select * from audit_entry where tenant_id = ?', [world.tenant.id]),
      );
      expect(all).toContain('bulk_update');
      expect(all).not.toContain('key-of');
    });

    it('records inserts and deletes alike, and nothing of what is rolled back', async () => {
      const world = await aWorld();
      const rows = Array.from({ length: 4 }, (_, row) => ({ name: `tag ${row} ${world.tenant.id}` }));
      await world.as((em) => bulkInsert(em, Tag, rows));
      const abandoned = world.as((em) =>
        em.transactional(async (inner) => {
          await bulkDelete(inner, Tag, { where: {} });
          throw new Error('on purpose');
        }),
      );
      await expect(abandoned).rejects.toThrow('on purpose');
      await world.as((em) => bulkDelete(em, Tag, { where: {} }));
      const entries = await world.entries();
      expect(entries.map(({ action, changes }) => [action, told(changes, 'rows')])).toEqual([
        ['bulk_create', 4],
        ['bulk_delete', 4],
      ]);
    });

    it('says of a state that a bulk write has been there, and applies what all rows were given', async () => {
      const world = await aWorld();
      const [id = ''] = await someBooks(world, 4);
      await delay(2);
      const set = { name: 'Sold', price: new Money(1, 'USD'), stock: raw('stock - 1') };
      await world.as((em) => bulkUpdate(em, Product, { where: {}, set: set as never }));
      await delay(2);
      expect(await stateAt(world, id, 1)).toMatchObject({ values: { name: 'Dune' }, isComplete: true });
      expect(await stateAt(world, id, new Date())).toMatchObject({
        version: 1,
        exists: true,
        values: { name: 'Sold', 'price.amount': 1, 'price.currency': 'USD' },
        withheld: ['stock'],
        isComplete: false,
        wasChangedInBulk: true,
      });
      await world.as((em) => bulkDelete(em, Product, { where: {} }));
      expect(await stateAt(world, id, new Date())).toMatchObject({ exists: false, wasChangedInBulk: true });
    });

    it('puts a version back that a bulk write has changed', async () => {
      const world = await aWorld();
      const [id = ''] = await someBooks(world, 4);
      await delay(2);
      await world.as((em) => bulkUpdate(em, Product, { where: {}, set: { name: 'Sold' } as never }));
      const { restored } = await world.as(() => world.trail.revert(Product, id, 1));
      expect(restored).toContain('name');
      expect(await world.as((em) => em.findOneOrFail(Book, { id } as never))).toMatchObject({ name: 'Dune', stock: 5 });
    });
  });
});
