import { beforeEach, describe, expect, it } from '@jest/globals';
import { raw } from '@mikro-orm/core';
import { type ContextTenant, runAs } from '#libs/context';
import { bulkDelete, bulkInsert, bulkUpdate, bulkUpsert, engines, Money, runInSystemFrame } from '#libs/persistence';
import { GuardedEntityManager, guardedDriver, StatementRefusedError } from '#libs/tenancy';
import {
  aDatabase,
  aTenant,
  Book,
  CardPayment,
  Category,
  eachEngine,
  Payment,
  Product,
  shopModel,
} from '#libs/testing';

/** Bulk writes go past the unit of work, so the guard's second layer is all that stands between tenants. */
describe('bulk writes behind the guard', () => {
  eachEngine((engine) => {
    const database = aDatabase(engine, shopModel, {
      driver: guardedDriver(engines[engine.name]),
      entityManager: GuardedEntityManager,
    });
    let acme: ContextTenant;
    let globex: ContextTenant;
    beforeEach(() => {
      [acme, globex] = [aTenant('acme'), aTenant('globex')];
    });

    const as = <T>(tenant: ContextTenant, work: () => Promise<T>) =>
      runAs({ tenant, actor: { id: 'spec', type: 'job' } }, work);
    const books = (...skus: string[]) =>
      skus.map((sku) => ({ sku, name: sku, price: new Money(1, 'EUR'), isbn: sku, stock: 1, attributes: { sku } }));
    const insertBooks = (tenant: ContextTenant, ...skus: string[]) =>
      as(tenant, () => bulkInsert(database.fork(), Book, books(...skus)));
    const findAll = (tenant: ContextTenant) =>
      as(tenant, () => database.fork().find(Product, {}, { orderBy: { sku: 'asc' } }));

    it('are let through, every one of them, for one table and for two', async () => {
      const skus = Array.from({ length: 1200 }, (_, i) => `s-${String(i).padStart(4, '0')}`);
      expect(await insertBooks(acme, ...skus)).toMatchObject({ inserted: 1200 });
      await as(acme, async () => {
        const changed = books(...skus, 'new').map((row) => ({ ...row, name: 'changed', isbn: 'changed' }));
        const upserted = await bulkUpsert(database.fork(), Book, changed, { by: ['sku'] });
        expect(upserted).toEqual({ inserted: 1, updated: 1200, unchanged: 0, rejected: 0 });
        const set = { stock: raw('stock + 1'), name: 'again' };
        expect(await bulkUpdate(database.fork(), Product, { where: { stock: 1 }, set })).toMatchObject({
          updated: 1201,
        });
        expect(await bulkUpdate(database.fork(), Book, { where: {}, set: { isbn: 'x' } })).toMatchObject({
          updated: 1201,
        });
        expect(await bulkDelete(database.fork(), Product, { where: { sku: { $like: 's-0%' } } })).toEqual({
          deleted: 1000,
        });
        await bulkInsert(database.fork(), CardPayment, [{ amount: new Money(1, 'EUR') }]);
        expect(await bulkDelete(database.fork(), Payment, { where: {} })).toEqual({ deleted: 1 });
        const rows = ['a', 'b'].map((name) => ({ name }));
        expect(await bulkInsert(database.fork(), Category, rows)).toMatchObject({ inserted: 2 });
        expect(await bulkUpdate(database.fork(), Category, { where: {}, set: { name: 'c' } })).toMatchObject({
          updated: 2,
        });
        expect(await bulkDelete(database.fork(), Category, { where: {} })).toEqual({ deleted: 2 });
      });
      expect(await findAll(acme)).toHaveLength(201);
    }, 30_000);

    it('find, change and delete nothing of another tenant', async () => {
      await insertBooks(acme, 'same', 'acme');
      await insertBooks(globex, 'same');
      const [victim] = await findAll(acme);
      const before = JSON.stringify(await findAll(acme));
      await as(globex, async () => {
        const em = () => database.fork();
        const set = { name: 'stolen' };
        const foreignKey = [[acme.id, victim?.id]] as never;
        await expect(bulkDelete(em(), Product, { keys: foreignKey })).rejects.toMatchObject({
          code: 'bulk_row_tenant_mismatch',
        });
        expect(await bulkDelete(em(), Product, { keys: [victim?.id] as never })).toEqual({ deleted: 0 });
        expect(await bulkDelete(em(), Product, { where: { sku: 'acme' } })).toEqual({ deleted: 0 });
        expect(await bulkUpdate(em(), Product, { where: { tenantId: acme.id }, set })).toMatchObject({ updated: 0 });
        expect(
          await bulkUpdate(em(), Product, { where: { $or: [{ tenantId: acme.id }, { sku: 'acme' }] }, set }),
        ).toMatchObject({
          updated: 0,
        });
        const upserted = await bulkUpsert(
          em(),
          Book,
          books('same', 'acme').map((row) => ({ ...row, name: 'mine' })),
          {
            by: ['sku'],
          },
        );
        expect(upserted).toMatchObject({ inserted: 1, updated: 1 });
      });
      expect(JSON.stringify(await findAll(acme))).toBe(before);
    });

    it('cannot read another tenant through an expression', async () => {
      await insertBooks(acme, 'secret');
      await insertBooks(globex, 'own');
      const spy = raw("(select name from category where name like 's%' limit 1)");
      await expect(
        as(globex, () => bulkUpdate(database.fork(), Product, { where: {}, set: { name: spy } })),
      ).rejects.toThrow(StatementRefusedError);
      const [own] = await findAll(globex);
      expect(own).toMatchObject({ name: 'own', version: 1 });
    });

    it('send nothing without a tenant', async () => {
      const em = runInSystemFrame('a fork outside of any context', () => database.fork());
      await expect(bulkInsert(em, Book, books('x'))).rejects.toMatchObject({ code: 'no_context' });
      await expect(bulkDelete(em, Product, { where: {} })).rejects.toMatchObject({ code: 'no_context' });
    });
  });
});
