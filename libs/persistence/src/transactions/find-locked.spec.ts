import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { runAs } from '#libs/context';
import { aDatabase, aTenant, Book, Electronic, eachEngine, expectStatements, Product, shopModel } from '#libs/testing';
import { Money } from '../entities/money.js';
import { LockUnavailableError } from '../errors/lock-unavailable.error.js';
import { LockUnsupportedError } from '../errors/lock-unsupported.error.js';
import { TransactionRequiredError } from '../errors/transaction-required.error.js';
import { Account } from './account.fixture.js';
import { findLocked } from './find-locked.js';
import { transactional } from './transactional.js';

describe('findLocked', () => {
  eachEngine((engine) => {
    const database = aDatabase(engine, [...shopModel, Account]);
    const hasRowLocks = engine.name !== 'sqlite';

    beforeEach(async () => {
      const em = database.fork();
      await em.nativeDelete(Account, {});
      await em.persist([new Account(1, 10), new Account(2, 20), new Account(3, 30)]).flush();
    });

    /** Locks account 1, and runs `fn` while it is held by a transaction that is not `fn`'s. */
    async function whileLocked(lock: 'shared' | 'exclusive', fn: () => Promise<void>): Promise<void> {
      const [held, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const holder = transactional(database.fork(), async (em) => {
        await findLocked(em, Account, { id: 1 }, { lock });
        held.resolve();
        await done.promise;
      });
      await Promise.race([held.promise, holder]);
      await fn().finally(() => done.resolve());
      await holder;
    }
    const ids = (accounts: Account[]) => accounts.map(({ id }) => id);

    it('needs a transaction', async () => {
      await expectStatements(database, 0, () =>
        expect(findLocked(database.fork(), Account, { id: 1 })).rejects.toThrow(TransactionRequiredError),
      );
    });

    it('is refused in a transaction that reads only, before any SQL', async () => {
      await transactional(
        database.fork(),
        (em) =>
          expectStatements(database, 0, () =>
            expect(findLocked(em, Account, { id: 1 }, { lock: 'shared' })).rejects.toThrow(LockUnsupportedError),
          ),
        { readOnly: true },
      );
    });

    it('finds in the order of keys, unless told otherwise, and no more than asked for', async () => {
      await transactional(database.fork(), async (em) => {
        expect(ids(await findLocked(em, Account, { id: { $in: [3, 1] } }))).toEqual([1, 3]);
        expect(ids(await findLocked(em, Account, {}, { orderBy: { balance: 'desc' }, limit: 2 }))).toEqual([3, 2]);
      });
    });

    it('gives present values also of what was loaded before, and saves first what has changed', async () => {
      await transactional(
        database.fork(),
        async (em) => {
          const [one, two] = await em.find(Account, {}, { orderBy: { id: 1 } });
          if (hasRowLocks) await database.fork().nativeUpdate(Account, { id: 1 }, { balance: 11 });
          if (two) two.balance = 22;
          const [first, second] = await findLocked(em, Account, {});
          expect(first).toBe(one);
          expect([first?.balance, second?.balance]).toEqual([hasRowLocks ? 11 : 10, 22]);
        },
        { isolation: 'read committed' },
      );
    });

    it('makes the second wait until the first is done, and see what it has done', async () => {
      const order: string[] = [];
      const [held, started] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const first = transactional(database.fork(), async (em) => {
        const [account] = await findLocked(em, Account, { id: 1 });
        held.resolve();
        await started.promise;
        await sleep(30);
        if (account) account.balance = 11;
        order.push('first');
      });
      await held.promise;
      const second = transactional(database.fork(), async (em) => {
        const [account] = await findLocked(em, Account, { id: 1 });
        order.push('second');
        return account?.balance;
      });
      started.resolve();
      await first;
      expect(await second).toBe(11);
      expect(order).toEqual(['first', 'second']);
    });

    it('reaches every kind of a class-table hierarchy', async () => {
      const tenant = aTenant();
      await runAs({ tenant, actor: { id: 'spec', type: 'system' } }, async () => {
        const price = new Money(1, 'EUR');
        const em = database.fork();
        const book = Object.assign(new Book(), { sku: 'b', name: 'Book', price, isbn: '1' });
        const lamp = Object.assign(new Electronic(), { sku: 'l', name: 'Lamp', price, warrantyMonths: 1 });
        await em.persist([book, lamp]).flush();
        const sell = () =>
          transactional(database.fork(), async (tx) => {
            const products = await findLocked(tx, Product, { tenantId: tenant.id });
            const [stock] = products.map((product) => product.stock);
            await sleep(5);
            for (const product of products) product.stock = Number(stock) + 1;
            return products;
          });
        const [products] = await Promise.all([sell(), sell(), sell()]);
        expect(products).toEqual([expect.any(Book), expect.any(Electronic)]);
        const stocks = (await database.fork().find(Product, { tenantId: tenant.id })).map(({ stock }) => stock);
        expect(stocks).toEqual([3, 3]);
      });
    });

    if (hasRowLocks) {
      it('with "fail" does not wait', async () => {
        await whileLocked('exclusive', async () => {
          const attempt = transactional(database.fork(), (em) =>
            findLocked(em, Account, { id: 1 }, { whenLocked: 'fail' }),
          );
          await expect(attempt).rejects.toThrow(LockUnavailableError);
        });
      });

      it('with "skip" takes what nobody else has', async () => {
        await whileLocked('exclusive', async () => {
          const free = await transactional(database.fork(), (em) =>
            findLocked(em, Account, {}, { whenLocked: 'skip' }),
          );
          expect(ids(free)).toEqual([2, 3]);
        });
      });

      it('shares what is locked shared, and changes nothing of it', async () => {
        await whileLocked('shared', async () => {
          const shared = await transactional(database.fork(), (em) => findLocked(em, Account, {}, { lock: 'shared' }));
          expect(ids(shared)).toEqual([1, 2, 3]);
          const attempt = transactional(database.fork(), (em) =>
            findLocked(em, Account, { id: 1 }, { whenLocked: 'fail' }),
          );
          await expect(attempt).rejects.toThrow(LockUnavailableError);
        });
      });
    } else {
      it.each(['fail', 'skip'] as const)('cannot promise not to wait, with "%s"', async (whenLocked) => {
        await transactional(database.fork(), (em) =>
          expectStatements(database, 0, () =>
            expect(findLocked(em, Account, { id: 1 }, { whenLocked })).rejects.toThrow(LockUnsupportedError),
          ),
        );
      });
    }

    if (engine.name === 'mysql') {
      it.each(['fail', 'skip'] as const)(
        'is refused shared with "%s", which MySQL has no such words for',
        async (it) => {
          await transactional(database.fork(), (em) =>
            expect(findLocked(em, Account, {}, { lock: 'shared', whenLocked: it })).rejects.toThrow(
              LockUnsupportedError,
            ),
          );
        },
      );
    }
  });
});
