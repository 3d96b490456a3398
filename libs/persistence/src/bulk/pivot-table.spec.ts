import { describe, expect, it } from '@jest/globals';
import { ForeignKeyConstraintViolationException, UniqueConstraintViolationException } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { Money } from '#libs/persistence';
import { aDatabase, aTenant, Book, eachEngine, Product, shopModel, Tag } from '#libs/testing';
import { newId } from '../entities/new-id.js';
import { type LinkKeys, PivotTable } from './pivot-table.js';

describe('PivotTable', () => {
  eachEngine((engine) => {
    const database = aDatabase(engine, shopModel);

    /** Books and tags of one tenant, and the pivot table between them in a transaction. */
    async function withRows(
      count: number,
      work: (pivot: PivotTable, link: (book: number, tag: number) => LinkKeys) => Promise<void>,
    ): Promise<string[]> {
      const { id: tenantId } = aTenant();
      const em = database.fork();
      const books = Array.from({ length: count }, (_, n) =>
        em.create(Book, { tenantId, sku: `b-${n}`, name: `Book ${n}`, price: new Money(1, 'EUR'), isbn: '978' }),
      );
      const tags = Array.from({ length: 3 }, (_, n) => em.create(Tag, { tenantId, name: `tag ${n}` }));
      await em.flush();
      const keyOf = (row?: { id: string }) => ({ tenantId, id: row?.id ?? newId() });
      await database.fork().transactional(async (tx) => {
        const target = { entityManager: tx as SqlEntityManager, transaction: tx.getTransactionContext() };
        const pivot = new PivotTable(target as never, Product as never, 'tags');
        await work(pivot, (book, tag) => ({ owner: keyOf(books[book]), item: keyOf(tags[tag]) }));
      });
      const found = await database.fork().find(Product, { tenantId }, { populate: ['tags'], orderBy: { sku: 'asc' } });
      return found.map(
        ({ tags: its }) =>
          `${its
            .getItems()
            .map(({ name }) => name.at(-1))
            .sort()}`,
      );
    }

    it('links and unlinks rows, as the unit of work then sees them', async () => {
      const linked = await withRows(3, async (pivot, link) => {
        await pivot.add([link(0, 0), link(0, 1), link(1, 1), link(1, 2)]);
        const of = await pivot.of([link(0, 0).owner, link(2, 0).owner]);
        expect(of.toSorted((a, b) => String(a.item.id).localeCompare(String(b.item.id)))).toEqual(
          [link(0, 0), link(0, 1)].toSorted((a, b) => String(a.item.id).localeCompare(String(b.item.id))),
        );
        await pivot.remove([link(0, 1), link(1, 2), link(2, 2)]);
      });
      expect(linked).toEqual(['0', '1', '']);
    });

    it('takes more links than one statement holds', async () => {
      const linked = await withRows(1100, async (pivot, link) => {
        const links = Array.from({ length: 1100 }, (_, book) => [link(book, 0), link(book, 1)]).flat();
        await pivot.add(links);
        expect(await pivot.of(links.filter((_, n) => n % 2 === 0).map(({ owner }) => owner))).toHaveLength(2200);
        await pivot.remove(links.filter((_, n) => n % 2 === 0));
      });
      expect(new Set(linked)).toEqual(new Set(['1']));
    });

    it('refuses a link that is there, and one to nothing', async () => {
      const twice = withRows(1, async (pivot, link) => {
        await pivot.add([link(0, 0)]);
        await pivot.add([link(0, 0)]);
      });
      await expect(twice).rejects.toBeInstanceOf(UniqueConstraintViolationException);
      const toNothing = withRows(1, (pivot, link) => pivot.add([link(0, 7)]));
      await expect(toNothing).rejects.toBeInstanceOf(ForeignKeyConstraintViolationException);
    });
  });
});
