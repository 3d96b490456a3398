import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ContextTenant } from '#libs/context';
import { Money } from '#libs/persistence';
import {
  aDatabase,
  aTenant,
  Book,
  CardPayment,
  Electronic,
  eachEngine,
  Order,
  OrderLine,
  Payment,
  Product,
  shopModel,
  Tag,
  WalletPayment,
} from '#libs/testing';
import type { BulkRowError } from '../errors/bulk-row.error.js';
import { Ledger, ledgerModel, Page, RecordingSubscriber } from '../events/change-events.fixture.js';
import { ChangeEventsSubscriber } from '../events/change-events.subscriber.js';
import { Animal, as, bulkModel, Dog, Puppy } from './bulk.fixture.js';
import { bulkDelete } from './bulk-delete.js';
import { bulkInsert } from './bulk-insert.js';

function failOn(error: unknown): never {
  throw error;
}

describe('bulkDelete', () => {
  eachEngine((engine) => {
    const seen = new RecordingSubscriber();
    const database = aDatabase(engine, [...shopModel, ...ledgerModel, ...bulkModel], {
      subscribers: [new ChangeEventsSubscriber({ subscribers: [seen], onError: failOn })],
    });
    let tenant: ContextTenant;
    const price = (amount = 100) => new Money(amount, 'EUR');
    const find = (sku: string) => database.fork().findOneOrFail(Product, { tenantId: tenant.id, sku });

    /** Rows of the tenant in each table of the hierarchy. */
    async function rowsIn(...tables: string[]): Promise<number[]> {
      const em = database.fork();
      const count = async (table: string) => {
        const [row] = await em.execute(`select count(*) as n from ${table} where tenant_id = ?`, [tenant.id]);
        return Number(row.n);
      };
      return Promise.all(tables.map(count));
    }

    beforeEach(async () => {
      tenant = aTenant();
      await as(tenant, async () => {
        const books = ['a', 'b', 'c'].map((sku, i) => ({
          sku,
          name: sku,
          price: price(i),
          isbn: `i-${sku}`,
          stock: i,
        }));
        await bulkInsert(database.fork(), Book, books);
        await bulkInsert(database.fork(), Electronic, [
          { sku: 'radio', name: 'radio', price: price(), warrantyMonths: 24 },
        ]);
      });
      seen.take();
    });

    it('deletes from both tables, by keys, and leaves no orphan', async () => {
      const [a, b] = await Promise.all(['a', 'b'].map(find));
      const keys = [a?.id, [tenant.id, b?.id], '01890000-0000-7000-8000-00000000000f'];
      expect(await as(tenant, () => bulkDelete(database.fork(), Book, { keys: keys as never }))).toEqual({
        deleted: 2,
      });
      expect(await rowsIn('product', 'book', 'electronic')).toEqual([2, 1, 1]);
    });

    it('reaches every class below a base class', async () => {
      const result = await as(tenant, () => bulkDelete(database.fork(), Product, { where: { stock: 0 } }));
      expect(result).toEqual({ deleted: 2 });
      expect(await rowsIn('product', 'book', 'electronic')).toEqual([2, 2, 0]);
      expect(
        seen
          .take()
          .map(({ entity }) => entity)
          .sort(),
      ).toEqual(['Book', 'Electronic']);
    });

    it('leaves rows of other classes and other tenants alone', async () => {
      const other = aTenant('globex');
      expect(await as(other, () => bulkDelete(database.fork(), Product, { where: {} }))).toEqual({ deleted: 0 });
      const radio = await find('radio');
      await as(tenant, () => bulkDelete(database.fork(), Book, { keys: [radio.id] as never }));
      expect(await rowsIn('product', 'book', 'electronic')).toEqual([4, 3, 1]);
      await as(tenant, () => bulkDelete(database.fork(), Book, { where: {} }));
      expect(await rowsIn('product', 'book', 'electronic')).toEqual([1, 0, 1]);
    });

    it('announces the whole last state, as a flush does', async () => {
      const em = database.fork();
      em.remove(await em.findOneOrFail(Book, { tenantId: tenant.id, sku: 'a' }));
      await em.flush();
      const [flushed] = seen.take();
      const { id } = await find('b');
      await as(tenant, () => bulkDelete(database.fork(), Book, { where: { sku: 'b' } }));
      const [bulk, ...more] = seen.take();
      expect(more).toEqual([]);
      expect(bulk).toMatchObject({
        kind: 'delete',
        entity: 'Book',
        key: { tenantId: tenant.id, id },
        old: { isbn: 'i-b' },
      });
      expect(Object.keys(bulk?.old as object).sort()).toEqual(Object.keys(flushed?.old as object).sort());
    });

    it('deletes three tables deep, and single-table classes', async () => {
      await as(tenant, async () => {
        const animals = (first: number) =>
          [first, first + 1].map((id) => ({ id, name: 'x', tag: `d-${id}`, fee: price() }));
        await bulkInsert(database.fork(), Dog, animals(100));
        await bulkInsert(
          database.fork(),
          Puppy,
          animals(102).map((row) => ({ ...row, weeks: 3 })),
        );
        await bulkInsert(database.fork(), Animal, [{ id: 104, name: 'x' }]);
        expect(await bulkDelete(database.fork(), Dog, { keys: [100, 102, 104] })).toEqual({ deleted: 2 });
        expect(await bulkDelete(database.fork(), Animal, { where: { id: { $gte: 100 } } })).toEqual({ deleted: 3 });
        await bulkInsert(database.fork(), CardPayment, [{ amount: price() }]);
        await bulkInsert(database.fork(), WalletPayment, [{ amount: price() }]);
        expect(await bulkDelete(database.fork(), CardPayment, { where: {} })).toEqual({ deleted: 1 });
        expect(await bulkDelete(database.fork(), Payment, { where: {} })).toEqual({ deleted: 1 });
      });
      const em = database.fork();
      const [left] = await em.execute(
        'select (select count(*) from animal where id >= 100) + (select count(*) from dog where id >= 100) + (select count(*) from puppy where id >= 100) as n',
      );
      expect(Number(left.n)).toBe(0);
    });

    it('announces links, and what the database deletes and unlinks with a row', async () => {
      const em = database.fork();
      const book = await em.findOneOrFail(Book, { tenantId: tenant.id, sku: 'a' });
      const tag = em.create(Tag, { tenantId: tenant.id, name: 'scifi' });
      book.tags.add(tag);
      const [ledger, other] = [em.create(Ledger, { name: 'Cash' }), em.create(Ledger, { name: 'Bank' })];
      await em.flush();
      const page = em.create(Page, { ledger: ledger.id as never, text: 'in' });
      em.create(Page, { ledger: other.id as never, next: page });
      await em.flush();
      seen.take();
      await as(tenant, async () => {
        await bulkDelete(database.fork(), Book, { keys: [book.id] as never });
        await bulkDelete(database.fork(), Ledger, { keys: [ledger.id] });
      });
      const [withLinks, ...cascade] = seen.take();
      expect(withLinks).toMatchObject({ entity: 'Book', collections: { tags: { added: [], removed: [tag.id] } } });
      expect(cascade.map(({ kind, entity }) => `${kind} ${entity}`).sort()).toEqual([
        'delete Ledger',
        'delete Page',
        'update Page',
      ]);
      expect(await rowsIn('product_tag')).toEqual([0]);
    });

    it('names the row that something refers to, and deletes the others when told so', async () => {
      const em = database.fork();
      const product = await em.findOneOrFail(Book, { tenantId: tenant.id, sku: 'b' });
      const order = em.create(Order, { tenantId: tenant.id });
      order.lines.add(em.create(OrderLine, { tenantId: tenant.id, order, product, quantity: 1 }));
      await em.flush();
      const keys = [(await find('a')).id, product.id, (await find('c')).id];
      const remove = (onRejected?: (index: number, error: BulkRowError) => void) =>
        as(tenant, () => bulkDelete(database.fork(), Book, { keys: keys as never }, { onRejected }));
      await expect(remove()).rejects.toMatchObject({
        code: 'bulk_row_refused',
        constraint: 'foreign_key',
        index: 1,
        key: { id: product.id },
      });
      expect(await rowsIn('product', 'book')).toEqual([4, 3]);
      const rejected: number[] = [];
      expect(await remove((index) => rejected.push(index))).toEqual({ deleted: 2 });
      expect(rejected).toEqual([1]);
      expect(await rowsIn('product', 'book')).toEqual([2, 1]);
    });

    it('goes through more rows than a batch', async () => {
      await as(tenant, async () => {
        const rows = Array.from({ length: 250 }, (_, i) => ({
          sku: `s${i}`,
          name: 'n',
          price: price(),
          isbn: `${i}`,
          stock: 5,
        }));
        await bulkInsert(database.fork(), Book, rows);
        expect(await bulkDelete(database.fork(), Book, { where: { stock: 5 } }, { batchSize: 40 })).toEqual({
          deleted: 250,
        });
      });
      expect(await rowsIn('product', 'book', 'electronic')).toEqual([4, 3, 1]);
    });

    it('belongs to the transaction around it', async () => {
      const em = database.fork();
      await em.begin();
      await as(tenant, () => bulkDelete(em, Product, { where: {} }));
      await em.rollback();
      expect(await rowsIn('product', 'book')).toEqual([4, 3]);
      expect(seen.take()).toEqual([]);
    });
  });
});
