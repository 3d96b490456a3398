import { describe, expect, it } from '@jest/globals';
import { wrap } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { currentContext } from '#libs/context';
import {
  bindUnitOfWork,
  bulkInsert,
  type ChangeSubscriber,
  exists,
  Money,
  newId,
  onCommit,
  runInSteps,
  transactional,
  WorkProgress,
  workThrough,
} from '#libs/persistence';
import { GuardedEntityManager } from '#libs/tenancy';
import { Book, eachEngine, expectStatements, Product, Tag } from '#libs/testing';
import { aCookbookShop } from './a-cookbook-shop.js';
import { bookRows, stock } from './arrange.js';

interface Tables {
  tag: { tenant_id: string; name: string };
}

const tenantId = () => currentContext().getTenant().id;

// #region own-entity-manager
/** Given to MikroORM as `entityManager`; forks and transactions are of this class as well. */
class CarefulEntityManager<Driver extends AbstractSqlDriver> extends GuardedEntityManager<Driver> {
  override find: SqlEntityManager<Driver>['find'] = (name, where, options) =>
    super.find(name, where, { limit: 3, ...options } as typeof options);
}
// #endregion

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
    const { database, entityManager, forTenant } = aCookbookShop(engine, [watcher], { entities: [WorkProgress] });
    const careful = aCookbookShop(engine, [], { entityManager: CarefulEntityManager });

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

    it('gets, lists, counts and asks for existence, and takes over values', () =>
      forTenant(async (em) => {
        await stock(em);
        const [{ id } = { id: '' }] = await em.find(Book, { sku: 'b-1' });
        // #region base-helpers
        const book = await em.findOneOrFail(Book, { id }); // get
        const cheapest = await em.find(Book, {}, { orderBy: { price: { amount: 'asc' } }, limit: 2 }); // list
        const books = await em.count(Book, { stock: 0 }); // count
        const isThere = await exists(em, Book, { isbn: '978-1' }); // exists, without reading the row
        em.assign(book, { name: 'Emma, annotated', stock: 3 }); // set attributes
        await em.flush();
        // #endregion
        expect([cheapest.map(({ sku }) => sku), books, isThere]).toEqual([['b-0', 'b-1'], 4, true]);
        expect(await exists(em, Book, { isbn: 'nobody' })).toBe(false);
        expect(await em.fork().findOneOrFail(Book, { id })).toMatchObject({ name: 'Emma, annotated', stock: 3 });
      }));

    it('is bound to a transaction that somebody else has begun, and to a connection', () =>
      forTenant(async (em) => {
        await stock(em);
        lines.length = 0;
        // #region bind
        const transaction = await em.getKysely<Tables>().startTransaction().execute();
        const tags = await transaction.selectFrom('tag').select('name').where('tenant_id', '=', tenantId()).execute();
        await bindUnitOfWork(em, transaction, async (tx) => {
          const book = await tx.findOneOrFail(Book, { sku: 'b-0' });
          book.name = `Dune, one of ${tags.length} tags`; // flushed at its end, in the caller's transaction
        });
        await transaction.commit().execute(); // the caller's to decide

        await em
          .getKysely()
          .connection()
          .execute(async (connection) => {
            await bindUnitOfWork(em, connection, (tx) => void tx.create(Tag, { name: 'on this connection' }));
          });
        // #endregion
        expect(lines).toEqual(['update Book Dune → Dune, one of 2 tags', 'create Tag - → on this connection']);
        expect(await em.fork().count(Tag, {})).toBe(3);
        // Nothing of another tenant is within its reach, either.
        const foreign = await em.getKysely().startTransaction().execute();
        await expect(bindUnitOfWork(em, foreign, (tx) => tx.execute('delete from tag'))).rejects.toMatchObject({
          code: 'statement_refused',
        });
        await foreign.rollback().execute();
      }));

    it('has the defaults that one gives it', () =>
      careful.forTenant(async (em) => {
        await stock(em);
        // #region own-defaults
        const few = await em.find(Product, {}); // no more than three, as `CarefulEntityManager` says
        const all = await em.find(Product, {}, { limit: 100 });
        const report = em.fork({ flushMode: 'commit' }); // reads never flush what waits
        // #endregion
        expect([few.length, all.length]).toEqual([3, 5]);
        report.create(Tag, { name: 'waits' });
        expect(await report.count(Tag, {})).toBe(2);
        await transactional(em, async (tx) => expect(await tx.find(Product, {})).toHaveLength(3));
        await expect(em.find(Product, { tenantId: newId() })).resolves.toEqual([]);
      }));

    it('works through many rows in steps, and resumes', () =>
      forTenant(async (em) => {
        await stock(em);
        const told: number[] = [];
        // #region in-steps
        await workThrough(
          em,
          Product,
          'stock-taking 2026-03', // under this name it goes on where a killed process has stopped
          (products) => {
            for (const product of products) product.stock += 1;
          },
          { where: { category: { $ne: null } }, chunkSize: 3, onProgress: ({ done }) => void told.push(done) },
        );
        // #endregion
        expect(told).toEqual([3, 4, 4]);
        expect((await em.find(Product, {}, { orderBy: { sku: 'asc' } })).map((it) => it.stock)).toEqual([
          1, 1, 1, 1, 5,
        ]);
      }));

    it('imports in steps that keep their place in the source', () =>
      forTenant(async (em) => {
        const source = bookRows(7);
        // #region import-in-steps
        const { done } = await runInSteps<number>(em, 'import of March', async (tx, line = 0) => {
          const part = source.slice(line, line + 3); // or read them from a file, from this line on
          if (part.length === 0) return undefined; // finished
          await bulkInsert(tx, Book, part);
          return { position: line + part.length, done: part.length };
        });
        // #endregion
        expect([done, await em.count(Book, {})]).toEqual([7, 7]);
      }));
  });
});
