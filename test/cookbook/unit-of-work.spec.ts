import { describe, expect, it } from '@jest/globals';
import { wrap } from '@mikro-orm/core';
import { type ChangeSubscriber, Money, onCommit } from '#libs/persistence';
import { Book, eachEngine, expectStatements, Product } from '#libs/testing';
import { aCookbookShop } from './a-cookbook-shop.js';
import { stock } from './arrange.js';

describe('unit of work', () => {
  eachEngine((engine) => {
    const lines: string[] = [];
    // #region watch-changes
    const watcher: ChangeSubscriber = {
      // Before the commit, in its transaction: what throws here undoes the change.
      beforeCommit(changes) {
        for (const { kind, meta, old, new: now } of changes) {
          lines.push(`${kind} ${meta.className} ${old?.name ?? '-'} → ${now?.name ?? '-'}`);
        }
      },
    };
    // #endregion
    const { database, entityManager, forTenant } = aCookbookShop(engine, [watcher]);

    it('saves all changes at once', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region change-and-flush
        const book = await em.findOneOrFail(Book, { sku: 'b-0' });
        book.name = 'Dune Messiah';
        em.create(Book, { sku: 'b-9', name: 'Persuasion', price: new Money(900, 'EUR'), isbn: '978-9' });
        em.remove(await em.findOneOrFail(Book, { sku: 'b-3' }));
        await em.flush(); // one transaction: an insert, an update, a delete; only changed columns
        // #endregion
        expect(await em.fork().find(Book, {}, { orderBy: { sku: 'asc' } })).toMatchObject([
          { name: 'Dune Messiah' },
          { name: 'Emma' },
          { name: 'Ulysses' },
          { name: 'Persuasion' },
        ]);
      }));

    it('gives one object for one row', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region identity-map
        const book = await em.findOneOrFail(Book, { sku: 'b-0' });
        const sameRow = await em.findOneOrFail(Product, { id: book.id }); // no statement: it is loaded
        expect(sameRow).toBe(book);
        // #endregion
        await expectStatements(database, 0, () => em.findOneOrFail(Product, { id: book.id }));
      }));

    it('tells old and new values before the commit', () =>
      forTenant(async (em) => {
        await stock(em);
        lines.length = 0;
        const book = await em.findOneOrFail(Book, { sku: 'b-0' }, { fields: ['name'] });
        book.name = 'Dune Messiah';
        await em.flush();
        expect(lines).toEqual(['update Book Dune → Dune Messiah']);
      }));

    it('runs work after the commit, and only when there was one', () =>
      forTenant(async (em) => {
        await stock(em);
        const sent: string[] = [];
        const send = async (text: string) => void sent.push(text);
        // #region on-commit
        await entityManager.transactional(async (tx) => {
          const book = await tx.findOneOrFail(Book, { sku: 'b-0' });
          book.stock += 10;
          onCommit(tx, () => send(`${book.name} is in stock`)); // dropped when this rolls back or is repeated
        });
        // #endregion
        expect(sent).toEqual(['Dune is in stock']);
      }));

    it('forgets, reads again and leaves unsaved changes behind', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region refresh-and-detach
        const book = await em.findOneOrFail(Book, { sku: 'b-0' });
        book.name = 'never saved';
        await em.refresh(book); // the row as it is now
        expect(book.name).toBe('Dune');

        wrap(book).assign({ name: 'Dune', price: new Money(1250, 'EUR') }); // from input: only what differs is written
        await em.flush();

        em.clear(); // everything is detached: changes to `book` reach nothing from here on
        // #endregion
        expect(em.getUnitOfWork().getIdentityMap().keys()).toEqual([]);
        expect((await em.findOneOrFail(Book, { sku: 'b-0' })).price).toEqual(new Money(1250, 'EUR'));
      }));

    it('works through many rows in pieces of bounded memory', () =>
      forTenant(async (em) => {
        await stock(em);
        // #region in-chunks
        let after = '';
        for (;;) {
          const page = await em.find(Product, { sku: { $gt: after } }, { orderBy: { sku: 'asc' }, limit: 2 });
          if (page.length === 0) break;
          for (const product of page) product.stock += 1;
          after = page.at(-1)?.sku ?? after; // keep it, to resume here after a crash
          await em.flush();
          em.clear();
        }
        // #endregion
        expect((await em.find(Product, {}, { orderBy: { sku: 'asc' } })).map((it) => it.stock)).toEqual([
          1, 1, 1, 1, 6,
        ]);
      }));
  });
});
