import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { OptimisticLockError, TransactionPropagation, UniqueConstraintViolationException } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { aDatabase, eachEngine } from '#libs/testing';
import { ConnectionHeldError } from '../errors/connection-held.error.js';
import { ReadOnlyTransactionError } from '../errors/read-only-transaction.error.js';
import { TransactionConflictError } from '../errors/transaction-conflict.error.js';
import { TransactionNestingError } from '../errors/transaction-nesting.error.js';
import { TransactionRequiredError } from '../errors/transaction-required.error.js';
import { UnsavedChangesError } from '../errors/unsaved-changes.error.js';
import { onCommit } from '../events/announce-changes.js';
import { ChangeEventsSubscriber } from '../events/change-events.subscriber.js';
import { Account, VersionedAccount } from './account.fixture.js';
import { findLocked } from './find-locked.js';
import { transactional } from './transactional.js';

/** A point that several calls wait for until all of them have come; later calls pass. */
function aMeeting(of: number) {
  let missing = of;
  const { promise, resolve } = Promise.withResolvers<void>();
  return () => {
    if (--missing <= 0) resolve();
    return promise;
  };
}

/** Takes `amount` out of an account, as code does that reads first. */
async function takeOut(em: SqlEntityManager, id: number, amount: number): Promise<boolean> {
  const [account] = await findLocked(em, Account, { id });
  if (!account || account.balance < amount) return false;
  account.balance -= amount;
  return true;
}

describe('transactional', () => {
  eachEngine((engine) => {
    const errors: unknown[] = [];
    const database = aDatabase(engine, [Account, VersionedAccount], () => ({
      subscribers: [new ChangeEventsSubscriber({ subscribers: [], onError: (error) => errors.push(error) })],
    }));
    const isSqlite = engine.name === 'sqlite';
    const balanceOf = async (id: number) => (await database.fork().findOne(Account, { id }))?.balance;

    beforeEach(async () => {
      const em = database.fork();
      await em.nativeDelete(Account, {});
      await em.nativeDelete(VersionedAccount, {});
      await em.persist([new Account(1, 100), new Account(2, 100), new VersionedAccount(1, 100)]).flush();
    });
    afterEach(() => expect(errors.splice(0)).toEqual([]));

    describe('keeps all of its work or nothing', () => {
      it('flushes what is left unsaved, and gives the result', async () => {
        const result = await transactional(database.fork(), async (em) => {
          (await em.findOneOrFail(Account, { id: 1 })).balance = 1;
          em.persist(new Account(3, 3));
          return 'done';
        });
        expect(result).toBe('done');
        expect([await balanceOf(1), await balanceOf(3)]).toEqual([1, 3]);
      });

      it('undoes what was flushed before an error, and gives the error as it is', async () => {
        const error = new RangeError('of the work');
        let calls = 0;
        const attempt = transactional(database.fork(), async (em) => {
          calls++;
          await em.persist(new Account(3, 3)).flush();
          throw error;
        });
        await expect(attempt).rejects.toBe(error);
        expect(calls).toBe(1);
        expect(await balanceOf(3)).toBeUndefined();
      });

      it('does not commit what the server has given up, though the code has swallowed the error', async () => {
        const attempt = transactional(database.fork(), async (em) => {
          await em.nativeUpdate(Account, { id: 1 }, { balance: 7 });
          await em.insert(Account, { id: 2, balance: 0 }).catch(() => {});
        });
        // PostgreSQL would answer this commit with success and keep nothing; the others keep what did not fail.
        if (engine.name === 'postgresql') {
          await expect(attempt).rejects.toMatchObject({ code: '23505' });
          expect(await balanceOf(1)).toBe(100);
        } else {
          await attempt;
          expect(await balanceOf(1)).toBe(7);
        }
      });
    });

    describe('has a unit of work of its own', () => {
      it('reads again what was loaded before, and brings that up to date when it is committed', async () => {
        const em = database.fork();
        const before = await em.findOneOrFail(Account, { id: 1 });
        await database.fork().nativeUpdate(Account, { id: 1 }, { balance: 60 });
        await transactional(em, async (tx) => {
          const inside = await tx.findOneOrFail(Account, { id: 1 });
          expect(inside).not.toBe(before);
          expect(inside.balance).toBe(60);
          inside.balance -= 10;
        });
        expect(before.balance).toBe(50);
        before.balance++;
        await em.flush();
        expect(await balanceOf(1)).toBe(51);
      });

      it('hands over what it has made: changed later, it is saved', async () => {
        const em = database.fork();
        const made = await transactional(em, (tx) => {
          const account = new Account(3, 3);
          tx.persist(account);
          return account;
        });
        made.balance = 4;
        await em.flush();
        expect(await balanceOf(3)).toBe(4);
      });

      it('leaves nothing behind when it fails', async () => {
        const em = database.fork();
        const failing = transactional(em, async (tx) => {
          await tx.persist(new Account(3, 3)).flush();
          throw new Error('late');
        });
        await expect(failing).rejects.toThrow('late');
        await em.flush();
        expect(em.getUnitOfWork().getIdentityMap().keys()).toEqual([]);
        expect(await em.findOne(Account, { id: 3 })).toBeNull();
      });

      it('does not begin beside changes that nobody has saved', async () => {
        const em = database.fork();
        (await em.findOneOrFail(Account, { id: 1 })).balance = 0;
        await expect(transactional(em, () => {})).rejects.toThrow(UnsavedChangesError);
        const other = database.fork();
        other.remove(await other.findOneOrFail(Account, { id: 1 }));
        await expect(transactional(other, () => {})).rejects.toThrow(UnsavedChangesError);
        const third = database.fork();
        third.persist(new Account(9, 9));
        await expect(transactional(third, () => {})).rejects.toThrow(UnsavedChangesError);
        expect(await balanceOf(1)).toBe(100);
      });
    });

    describe('inside another', () => {
      it('is a savepoint: its failure undoes its own work alone', async () => {
        const em = database.fork();
        await transactional(em, async (tx) => {
          await tx.persist(new Account(3, 3)).flush();
          const inner = transactional(em, async (nested) => {
            await nested.persist(new Account(4, 4)).flush();
            throw new Error('inner');
          });
          await expect(inner).rejects.toThrow('inner');
          await transactional(tx, (nested) => void nested.persist(new Account(5, 5)));
        });
        expect([await balanceOf(3), await balanceOf(4), await balanceOf(5)]).toEqual([3, undefined, 5]);
      });

      it('goes down with the outer one', async () => {
        const em = database.fork();
        const outer = transactional(em, async () => {
          await transactional(em, (nested) => void nested.persist(new Account(3, 3)));
          throw new Error('outer');
        });
        await expect(outer).rejects.toThrow('outer');
        expect(await balanceOf(3)).toBeUndefined();
      });

      it('goes on after a savepoint that was set by hand', async () => {
        await transactional(database.fork(), async (tx) => {
          await tx.nativeUpdate(Account, { id: 1 }, { balance: 7 });
          await tx.execute('savepoint by_hand');
          await expect(tx.insert(Account, { id: 2, balance: 0 })).rejects.toThrow(UniqueConstraintViolationException);
          await tx.execute('rollback to by_hand');
        });
        expect(await balanceOf(1)).toBe(7);
      });

      it('goes on after a constraint that a savepoint was broken by', async () => {
        await transactional(database.fork(), async (tx) => {
          await tx.nativeUpdate(Account, { id: 1 }, { balance: 7 });
          const inner = transactional(tx, async (nested) => void (await nested.insert(Account, { id: 2, balance: 0 })));
          await expect(inner).rejects.toThrow(UniqueConstraintViolationException);
        });
        expect(await balanceOf(1)).toBe(7);
      });

      it.each(['required', 'mandatory'] as const)('is part of it with %s', async (propagation) => {
        const em = database.fork();
        await transactional(em, (tx) => transactional(em, (same) => expect(same).toBe(tx), { propagation }));
      });

      it('cannot ask for what the outer one decides', async () => {
        await transactional(
          database.fork(),
          async (tx) => {
            await transactional(tx, () => {}, { isolation: 'serializable' });
            const weaker = transactional(tx, () => {}, { isolation: 'read committed' });
            await expect(weaker).rejects.toThrow(TransactionNestingError);
            await expect(transactional(tx, () => {}, { readOnly: true })).rejects.toThrow(TransactionNestingError);
          },
          { isolation: 'serializable' },
        );
      });

      it('has one of its own with requires_new, where there are two connections', async () => {
        const em = database.fork();
        const outer = transactional(em, async (tx) => {
          await tx.persist(new Account(3, 3)).flush();
          const inner = transactional(
            tx,
            async (own) => {
              expect(await own.findOne(Account, { id: 3 })).toBeNull();
              own.persist(new Account(4, 4));
            },
            { propagation: 'requires_new' },
          );
          if (isSqlite) await expect(inner).rejects.toThrow(ConnectionHeldError);
          else await inner;
          throw new Error('outer');
        });
        await expect(outer).rejects.toThrow('outer');
        expect([await balanceOf(3), await balanceOf(4)]).toEqual([undefined, isSqlite ? undefined : 4]);
      });

      it('is needed by mandatory', async () => {
        await expect(transactional(database.fork(), () => {}, { propagation: 'mandatory' })).rejects.toThrow(
          TransactionRequiredError,
        );
      });
    });

    describe('beside others', () => {
      it('mixes with none of them', async () => {
        const meet = aMeeting(2);
        const log: string[] = [];
        const transfer = (name: string, id: number, fails: boolean) =>
          transactional(database.fork(), async (em) => {
            log.push(`${name} begins`);
            (await em.findOneOrFail(Account, { id })).balance -= 30;
            await em.flush();
            // Where both can be open, they are; where not, the second begins when the first is over.
            await (isSqlite ? sleep(20) : meet());
            await em.persist(new Account(10 + id, 0)).flush();
            log.push(`${name} ends`);
            if (fails) throw new Error(name);
          });
        const results = await Promise.allSettled([transfer('a', 1, true), transfer('b', 2, false)]);
        expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
        expect([await balanceOf(1), await balanceOf(2), await balanceOf(11), await balanceOf(12)]).toEqual([
          100,
          70,
          undefined,
          0,
        ]);
        if (isSqlite) expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
        else expect(log.slice(0, 2).toSorted()).toEqual(['a begins', 'b begins']);
      });

      it('lets one of two take the last hundred', async () => {
        const results = await Promise.all(
          [1, 2, 3].map(() => transactional(database.fork(), (em) => takeOut(em, 1, 100))),
        );
        expect(results.filter(Boolean)).toHaveLength(1);
        expect(await balanceOf(1)).toBe(0);
      });

      it('notices a row that somebody else has changed, by its version', async () => {
        const meet = aMeeting(2);
        const change = async (by: number) => {
          const em = database.fork();
          (await em.findOneOrFail(VersionedAccount, { id: 1 })).balance += by;
          await meet();
          await em.flush();
        };
        const results = await Promise.allSettled([change(1), change(2)]);
        const failures = results.filter((result) => result.status === 'rejected');
        expect(failures.map(({ reason }) => reason)).toEqual([expect.any(OptimisticLockError)]);
      });
    });

    // One connection, one writer: there is nobody to lock each other out with.
    if (!isSqlite) {
      describe('when others are in its way', () => {
        /** Locks 1 and 2 in opposite orders, and meets in between: one of them must die. */
        const quarrel = (calls: string[], swallow = false, maxAttempts?: number) => {
          const meet = aMeeting(2);
          const move = (name: string, first: number, second: number) =>
            transactional(
              database.fork(),
              async (em) => {
                calls.push(name);
                await em.nativeUpdate(Account, { id: first }, { balance: 0 });
                await meet();
                const update = em.nativeUpdate(Account, { id: second }, { balance: 0 });
                await (swallow ? update.catch(() => 0) : update);
                await em.persist(new Account(100 * first + second, 1)).flush();
              },
              { maxAttempts },
            );
          return Promise.allSettled([move('a', 1, 2), move('b', 2, 1)]);
        };

        it('does a deadlocked transaction again, as a whole, and tells those who count', async () => {
          const calls: string[] = [];
          const told: unknown[] = [];
          const count = (retry: unknown) => told.push(retry);
          subscribe('rowhouse:transaction:retry', count);
          const results = await quarrel(calls);
          unsubscribe('rowhouse:transaction:retry', count);
          expect(told).toHaveLength(calls.length - 2);
          expect(told[0]).toMatchObject({ attempt: 1, error: expect.any(Error) });
          expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
          expect(calls.length).toBeGreaterThanOrEqual(3);
          expect([await balanceOf(102), await balanceOf(201)]).toEqual([1, 1]);
        });

        it('does it again also when its code has swallowed the deadlock, and loses nothing', async () => {
          const calls: string[] = [];
          const results = await quarrel(calls, true);
          expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
          expect(calls.length).toBeGreaterThanOrEqual(3);
          expect([await balanceOf(102), await balanceOf(201)]).toEqual([1, 1]);
        });

        it('gives up after as many attempts as it may make, with nothing kept', async () => {
          const calls: string[] = [];
          const results = await quarrel(calls, false, 1);
          const failures = results.filter((result) => result.status === 'rejected');
          expect(failures.map(({ reason }) => reason)).toEqual([expect.any(TransactionConflictError)]);
          expect(failures[0]?.reason).toMatchObject({ attempts: 1, code: 'transaction_conflict' });
          expect(calls).toHaveLength(2);
          expect([await balanceOf(102), await balanceOf(201)].filter((it) => it !== undefined)).toHaveLength(1);
        });

        it('does a transaction again that could not have run alone', async () => {
          const meet = aMeeting(2);
          let calls = 0;
          // Each reads what the other writes: in whatever order they ran alone, the second would see the first.
          const work = (from: number, to: number) =>
            transactional(
              database.fork(),
              async (em) => {
                calls++;
                const { balance } = await em.findOneOrFail(Account, { id: from });
                await meet();
                (await em.findOneOrFail(Account, { id: to })).balance = balance + 1;
              },
              { isolation: 'serializable' },
            );
          await Promise.all([work(1, 2), work(2, 1)]);
          expect(calls).toBeGreaterThanOrEqual(3);
          expect([await balanceOf(1), await balanceOf(2)].toSorted()).toEqual([101, 102]);
        });

        it('forgets what was to run after a commit that did not come', async () => {
          const meet = aMeeting(2);
          const told: string[] = [];
          let calls = 0;
          const move = (first: number, second: number) =>
            transactional(database.fork(), async (em) => {
              calls++;
              onCommit(em, () => told.push(`${first}`));
              await em.nativeUpdate(Account, { id: first }, { balance: 0 });
              await meet();
              await em.nativeUpdate(Account, { id: second }, { balance: 0 });
            });
          await Promise.all([move(1, 2), move(2, 1)]);
          expect(calls).toBeGreaterThanOrEqual(3);
          expect(told.toSorted()).toEqual(['1', '2']);
        });
      });
    }

    it('that reads only cannot write, and leaves a connection that can', async () => {
      const attempt = transactional(
        database.fork(),
        async (em) => {
          expect(await em.count(Account)).toBe(2);
          await em.nativeUpdate(Account, { id: 1 }, { balance: 0 });
        },
        { readOnly: true },
      );
      await expect(attempt).rejects.toThrow(ReadOnlyTransactionError);
      await transactional(database.fork(), (em) => em.count(Account), { readOnly: true });
      await database.fork().nativeUpdate(Account, { id: 1 }, { balance: 5 });
      expect(await balanceOf(1)).toBe(5);
    });

    if (isSqlite) {
      it('says so when it would wait for itself', async () => {
        const outer = database.fork();
        await transactional(outer, async (em) => {
          const attempts: (() => unknown)[] = [
            () => outer.find(Account, {}),
            () => database.fork().nativeUpdate(Account, {}, { balance: 0 }),
            () => database.fork().transactional(() => 1),
            () => outer.begin(),
            () =>
              outer
                .getKysely()
                .selectFrom('account' as never)
                .selectAll()
                .execute(),
            () => em.transactional(() => 1, { propagation: TransactionPropagation.REQUIRES_NEW }),
          ];
          for (const attempt of attempts) {
            await expect((async () => attempt())()).rejects.toThrow(ConnectionHeldError);
          }
          expect(await em.count(Account)).toBe(2);
        });
        expect(await outer.count(Account)).toBe(2);
      });
    }

    it('lets what reacts to its commit use the database', async () => {
      const em = database.fork();
      let seen: number | undefined;
      await transactional(em, async (tx) => {
        tx.persist(new Account(3, 3));
        onCommit(tx, async () => {
          seen = (await em.findOne(Account, { id: 3 }))?.balance;
        });
      });
      expect(seen).toBe(3);
    });
  });
});
