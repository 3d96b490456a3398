import { beforeEach, describe, expect, it } from '@jest/globals';
import { raw } from '@mikro-orm/core';
import type { ContextTenant } from '#libs/context';
import { Money } from '#libs/persistence';
import {
  aDatabase,
  aTenant,
  Book,
  CardPayment,
  Electronic,
  eachEngine,
  expectStatements,
  Payment,
  Product,
  shopModel,
  WalletPayment,
} from '#libs/testing';
import type { BulkRowError } from '../errors/bulk-row.error.js';
import { BulkUnsupportedError } from '../errors/bulk-unsupported.error.js';
import { InvalidRowError } from '../errors/invalid-row.error.js';
import { RowMissingError } from '../errors/row-missing.error.js';
import { RecordingSubscriber } from '../events/change-events.fixture.js';
import { ChangeEventsSubscriber } from '../events/change-events.subscriber.js';
import { as, bulkModel } from './bulk.fixture.js';
import { bulkInsert } from './bulk-insert.js';
import { bulkUpdate } from './bulk-update.js';

function failOn(error: unknown): never {
  throw error;
}

describe('bulkUpdate', () => {
  eachEngine((engine) => {
    const seen = new RecordingSubscriber();
    const database = aDatabase(engine, [...shopModel, ...bulkModel], {
      subscribers: [new ChangeEventsSubscriber({ subscribers: [seen], onError: failOn })],
    });
    let tenant: ContextTenant;
    const price = (amount = 100) => new Money(amount, 'EUR');
    const find = (sku: string) => database.fork().findOneOrFail(Product, { tenantId: tenant.id, sku });

    /** Three books and a radio. */
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
          { sku: 'radio', name: 'radio', price: price(), warrantyMonths: 24, stock: 9 },
        ]);
      });
      seen.take();
    });

    describe('with rows', () => {
      it('gives each row its own values, found by a unique key', async () => {
        const rows = [
          { sku: 'a', name: 'first' },
          { sku: 'c', isbn: 'third', stock: 5 },
          { sku: 'b', stock: 1 },
        ];
        const result = await as(tenant, () => bulkUpdate(database.fork(), Book, rows, { by: ['sku'] }));
        expect(result).toEqual({ updated: 2, unchanged: 1, rejected: 0 });
        expect(await find('a')).toMatchObject({ name: 'first', isbn: 'i-a', version: 2 });
        expect(await find('c')).toMatchObject({ name: 'c', isbn: 'third', stock: 5, version: 2 });
        expect(await find('b')).toMatchObject({ version: 1 });
      });

      it('uses the primary key unless told otherwise', async () => {
        const { id } = await find('a');
        await as(tenant, () => bulkUpdate(database.fork(), Book, [{ id, name: 'by id' }]));
        expect(await find('a')).toMatchObject({ name: 'by id' });
      });

      it('rejects rows that do not exist', async () => {
        const rows = [
          { sku: 'nobody', name: 'x' },
          { sku: 'a', name: 'y' },
        ];
        const update = (onRejected?: (index: number, error: BulkRowError) => void) =>
          as(tenant, () => bulkUpdate(database.fork(), Book, rows, { by: ['sku'], onRejected }));
        await expect(update()).rejects.toThrow(RowMissingError);
        expect(await find('a')).toMatchObject({ name: 'a' });
        const rejected: number[] = [];
        expect(await update((index) => rejected.push(index))).toEqual({ updated: 1, unchanged: 0, rejected: 1 });
        expect(rejected).toEqual([0]);
        expect(await find('a')).toMatchObject({ name: 'y' });
      });
    });

    describe('of chosen rows', () => {
      it('reaches every class below the one it names, in the tables that change', async () => {
        const result = await as(tenant, () =>
          bulkUpdate(database.fork(), Product, { where: { stock: { $gt: 1 } }, set: { name: 'many' } }),
        );
        expect(result).toEqual({ updated: 2, unchanged: 0, rejected: 0 });
        expect(await find('c')).toMatchObject({ name: 'many', version: 2 });
        expect(await find('radio')).toMatchObject({ name: 'many', version: 2, warrantyMonths: 24 });
        expect(await find('a')).toMatchObject({ name: 'a', version: 1 });
        expect(seen.take()).toMatchObject([
          { entity: 'Book', old: { name: 'c', version: 1 }, new: { name: 'many', version: 2 } },
          { entity: 'Electronic', old: { name: 'radio', version: 1 }, new: { name: 'many', version: 2 } },
        ]);
      });

      it('sets columns of parent and child, and embedded values', async () => {
        const set = { isbn: 'same', price: price(5) };
        await as(tenant, () => bulkUpdate(database.fork(), Book, { where: {}, set }));
        for (const sku of ['a', 'b', 'c'])
          expect(await find(sku)).toMatchObject({ isbn: 'same', price: price(5), version: 2 });
        expect(await find('radio')).toMatchObject({ price: price(), version: 1 });
      });

      it('takes keys in every form, and overlooks those that no row has', async () => {
        const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(find));
        const keys = [
          a?.id,
          [tenant.id, b?.id],
          { tenantId: tenant.id, id: c?.id },
          '01890000-0000-7000-8000-00000000000f',
        ];
        const update = () =>
          as(tenant, () => bulkUpdate(database.fork(), Book, { keys: keys as never, set: { stock: 1 } }));
        expect(await update()).toEqual({ updated: 2, unchanged: 1, rejected: 0 });
        expect(await update()).toEqual({ updated: 0, unchanged: 3, rejected: 0 });
      });

      it('refuses keys of another tenant, and finds none of its rows by a condition', async () => {
        const { id } = await find('a');
        const other = aTenant('globex');
        const set = { name: 'stolen' };
        await expect(
          as(other, () => bulkUpdate(database.fork(), Product, { keys: [[tenant.id, id]] as never, set })),
        ).rejects.toMatchObject({ code: 'bulk_row_tenant_mismatch' });
        const byId = await as(other, () => bulkUpdate(database.fork(), Product, { keys: [id] as never, set }));
        const byCondition = await as(other, () =>
          bulkUpdate(database.fork(), Product, { where: { tenantId: tenant.id }, set }),
        );
        expect([byId, byCondition]).toMatchObject([{ updated: 0 }, { updated: 0 }]);
        expect(await find('a')).toMatchObject({ name: 'a' });
      });

      it('works out expressions per row, and announces their results', async () => {
        const result = await as(tenant, () =>
          bulkUpdate(database.fork(), Product, {
            where: {},
            set: { stock: raw('stock * ? + 1', [10]), name: 'it’s ?' },
          }),
        );
        expect(result).toEqual({ updated: 4, unchanged: 0, rejected: 0 });
        expect(await find('c')).toMatchObject({ stock: 21, name: 'it’s ?', version: 2 });
        const changes = seen.take();
        expect(changes.map(({ new: values }) => (values as { stock: number }).stock).sort()).toEqual([1, 11, 21, 91]);
        expect(changes.map(({ old }) => (old as { version: number }).version)).toEqual([1, 1, 1, 1]);
      });

      it('reaches single-table classes by their base and one by one', async () => {
        await as(tenant, async () => {
          await bulkInsert(database.fork(), CardPayment, [{ amount: price(1), lastFour: '1' }]);
          await bulkInsert(database.fork(), WalletPayment, [{ amount: price(1), walletId: 'w' }]);
          seen.take();
          expect(await bulkUpdate(database.fork(), Payment, { where: {}, set: { amount: price(2) } })).toMatchObject({
            updated: 2,
          });
          expect(
            seen
              .take()
              .map(({ entity }) => entity)
              .sort(),
          ).toEqual(['CardPayment', 'WalletPayment']);
          expect(await bulkUpdate(database.fork(), CardPayment, { where: {}, set: { lastFour: '2' } })).toMatchObject({
            updated: 1,
          });
        });
        const wallet = await database.fork().findOneOrFail(WalletPayment, { tenantId: tenant.id });
        expect(wallet).toMatchObject({ amount: { amount: 2 }, walletId: 'w' });
      });

      it('goes through more rows than a batch, each once, also when they no longer meet the condition', async () => {
        await as(tenant, async () => {
          const rows = Array.from({ length: 250 }, (_, i) => ({
            sku: `s${i}`,
            name: 'n',
            price: price(),
            isbn: `${i}`,
            stock: 50,
          }));
          await bulkInsert(database.fork(), Book, rows);
          const assignment = { where: { stock: { $gte: 50 } }, set: { stock: raw('stock - 1') } };
          expect(await bulkUpdate(database.fork(), Book, assignment, { batchSize: 40 })).toMatchObject({
            updated: 250,
          });
        });
        expect(await database.fork().count(Book, { tenantId: tenant.id, stock: 49 })).toBe(250);
      });

      it('leaves alone a row that has ceased to meet the condition when it is locked', async () => {
        const em = database.fork();
        const transactional = em.transactional.bind(em);
        em.transactional = async (...parameters) => {
          // Rows have been chosen, and are not locked yet: somebody buys the last one.
          await database.fork().nativeUpdate(Product, { tenantId: tenant.id, sku: 'c' }, { stock: 0 });
          return transactional(...parameters);
        };
        const assignment = { where: { stock: { $gt: 0 } }, set: { stock: raw('stock - 1') } };
        expect(await as(tenant, () => bulkUpdate(em, Product, assignment))).toMatchObject({ updated: 2 });
        expect(await find('c')).toMatchObject({ stock: 0 });
      });

      it('refuses to set keys, versions and values of a wrong type, before any SQL', async () => {
        const update = (set: object) =>
          as(tenant, () => bulkUpdate(database.fork(), Book, { where: {}, set: set as never }));
        await expectStatements(database, 0, async () => {
          await expect(update({ id: 'x' })).rejects.toThrow(BulkUnsupportedError);
          await expect(update({ version: 3 })).rejects.toThrow(BulkUnsupportedError);
          await expect(update({ price: raw('1') })).rejects.toThrow(BulkUnsupportedError);
          await expect(update({ stock: 'many' })).rejects.toThrow(InvalidRowError);
          await expect(update({ nothing: 1 })).rejects.toThrow(InvalidRowError);
        });
      });
    });
  });
});
