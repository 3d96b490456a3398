import { afterEach, describe, expect, it } from '@jest/globals';
import { UniqueConstraintViolationException } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { currentContext, runAs, runInContext, TenantImmutableError } from '#libs/context';
import { aDatabase, aTenant, eachEngine, expectStatements, shopModel, Tag } from '#libs/testing';
import { TransactionRequiredError } from '../errors/transaction-required.error.js';
import { announceChanges, areChangesWanted, onCommit } from './announce-changes.js';
import type { Change } from './change.js';
import { RecordingSubscriber } from './change-events.fixture.js';
import { ChangeEventsSubscriber } from './change-events.subscriber.js';
import { findInTransaction } from './find-in-transaction.js';
import type { TransactionScope } from './transaction-scope.js';

const MAX_WAITING = 5;

describe('transaction events', () => {
  eachEngine((engine) => {
    const seen = new RecordingSubscriber();
    const errors: unknown[] = [];
    /** What a case does in `beforeCommit` and after it. */
    let reaction: ((changes: readonly Change[], scope: TransactionScope) => Promise<void>) | undefined;
    let afterwards: (() => void) | undefined;
    const reacting = {
      beforeCommit: async (changes: readonly Change[], scope: TransactionScope) => reaction?.(changes, scope),
      afterCommit: () => afterwards?.(),
      afterRollback: () => afterwards?.(),
    };
    const database = aDatabase(engine, shopModel, {
      subscribers: [
        new ChangeEventsSubscriber({
          subscribers: [reacting, seen],
          onError: (error) => errors.push(error),
          maxWaitingChanges: MAX_WAITING,
        }),
      ],
    });
    const { id: tenantId } = aTenant();
    let count = 0;

    afterEach(() => {
      [reaction, afterwards] = [undefined, undefined];
      errors.length = 0;
      seen.take();
    });

    const aTag = (em: SqlEntityManager, name = `tag ${++count}`) => em.create(Tag, { tenantId, name });
    const names = () => seen.changes.map((change) => (change.new as Tag).name);
    const isStored = async ({ name }: Tag) => (await database.fork().count(Tag, { tenantId, name })) === 1;
    const createOf = (tag: { id: string; name: string }): Change => ({
      kind: 'create',
      meta: database.orm.getMetadata().get(Tag),
      key: { tenantId, id: tag.id },
      new: { name: tag.name },
    });

    async function aSavedTag() {
      const em = database.fork();
      const tag = aTag(em);
      await em.flush();
      seen.take();
      return tag;
    }

    describe('a flush of its own', () => {
      it('hands changes over in the transaction, then tells of the commit', async () => {
        const em = database.fork();
        const tag = aTag(em);
        await em.flush();
        expect(seen.events).toEqual(['beforeCommit 1', 'afterCommit']);
        expect(names()).toEqual([tag.name]);
      });

      it('sends no statement of its own', async () => {
        const em = database.fork();
        aTag(em);
        await expectStatements(database, 1, () => em.flush());
      });

      it('hands over frozen changes', async () => {
        reaction = async (changes) => {
          expect(() => (changes as Change[]).pop()).toThrow(TypeError);
          expect(() => Object.assign(changes[0] as Change, { kind: 'delete' })).toThrow(TypeError);
          expect(() => Object.assign(changes[0]?.new as object, { name: 'other' })).toThrow(TypeError);
        };
        const em = database.fork();
        aTag(em);
        await em.flush();
        expect(seen.events).toHaveLength(2);
      });

      it('tells of nothing but the commit when nothing changed', async () => {
        await database.fork().flush();
        expect(seen.events).toEqual([]);
      });

      it('hands nothing over when the database refuses, and the next flush is right again', async () => {
        const tag = await aSavedTag();
        const em = database.fork();
        const double = aTag(em, tag.name);
        await expect(em.flush()).rejects.toThrow(UniqueConstraintViolationException);
        expect(seen.events).toEqual(['afterRollback']);
        double.name = `tag ${++count}`;
        await em.flush();
        expect(names()).toEqual([double.name]);
      });

      it('rolls back when a subscriber throws before the commit', async () => {
        reaction = async () => {
          throw new Error('no room');
        };
        const em = database.fork();
        const tag = aTag(em);
        await expect(em.flush()).rejects.toThrow('no room');
        expect(seen.events).toEqual(['afterRollback']);
        expect(await isStored(tag)).toBe(false);
      });

      it('fails, commits nothing and leaks no transaction when old values cannot be read', async () => {
        const tag = await aSavedTag();
        const em = database.fork();
        const reference = em.getReference(Tag, [tenantId, tag.id]);
        em.remove(reference);
        // The fork that reads old values, and no other EntityManager.
        const fork = em.fork.bind(em);
        em.fork = ((options?: object) =>
          Object.assign(fork(options), { find: () => Promise.reject(new Error('cannot read')) })) as typeof em.fork;
        await expect(em.flush()).rejects.toThrow('cannot read');
        expect(await isStored(tag)).toBe(true);
        const again = database.fork();
        again.remove(again.getReference(Tag, [tenantId, tag.id]));
        await again.flush();
        expect(await isStored(tag)).toBe(false);
      });
    });

    describe('a transaction', () => {
      it('hands over the changes of several flushes at once, in order', async () => {
        await database.fork().transactional(async (em) => {
          aTag(em, 'flush 1');
          await em.flush();
          aTag(em, 'flush 2');
          await em.flush();
          aTag(em, 'flush 3');
        });
        expect(seen.events).toEqual(['beforeCommit 3', 'afterCommit']);
        expect(names()).toEqual(['flush 1', 'flush 2', 'flush 3']);
      });

      it('means the same with begin and commit', async () => {
        const em = database.fork();
        await em.begin();
        const tag = aTag(em);
        await em.commit();
        expect(seen.events).toEqual(['beforeCommit 1', 'afterCommit']);
        expect(names()).toEqual([tag.name]);
      });

      it('hands nothing over when it is rolled back', async () => {
        const em = database.fork();
        await em.begin();
        aTag(em);
        await em.flush();
        await em.rollback();
        expect(seen.events).toEqual(['afterRollback']);
        const failing = database.fork().transactional(async (inner) => {
          aTag(inner);
          await inner.flush();
          throw new Error('changed my mind');
        });
        await expect(failing).rejects.toThrow('changed my mind');
        expect(seen.events).toEqual(['afterRollback', 'afterRollback']);
      });

      it('carries what a subscriber writes on it, and hands that over in turn', async () => {
        let echo: Tag | undefined;
        reaction = async ([first], scope) => {
          if (echo || !first) return;
          const em = scope.entityManager.fork({ clear: true });
          em.setTransactionContext(scope.transaction);
          echo = aTag(em, `echo of ${(first.new as unknown as Tag).name}`);
          await em.flush();
        };
        const em = database.fork();
        const tag = aTag(em);
        await em.flush();
        expect(names()).toEqual([tag.name, echo?.name]);
        expect(await isStored(echo as Tag)).toBe(true);
        expect(seen.events).toEqual(['beforeCommit 1', 'beforeCommit 1', 'afterCommit']);
      });

      it('gives up on a subscriber that answers every change with a change', async () => {
        reaction = async (_, scope) => {
          const em = scope.entityManager.fork({ clear: true });
          em.setTransactionContext(scope.transaction);
          aTag(em);
          await em.flush();
        };
        const em = database.fork();
        const tag = aTag(em);
        await expect(em.flush()).rejects.toMatchObject({ code: 'endless_changes' });
        expect(await isStored(tag)).toBe(false);
      });
    });

    describe('a savepoint', () => {
      it('is part of its transaction when it is released', async () => {
        await database.fork().transactional(async (em) => {
          aTag(em, 'outer 1');
          await em.transactional(async (inner) => void aTag(inner, 'inner'));
          aTag(em, 'outer 2');
        });
        expect(seen.events).toEqual(['beforeCommit 3', 'afterCommit']);
        expect([...names()].sort()).toEqual(['inner', 'outer 1', 'outer 2']);
      });

      it('drops its own part, and no other, when it is rolled back', async () => {
        await database.fork().transactional(async (em) => {
          aTag(em, 'kept 1');
          await em.flush();
          const inner = em.transactional(
            async (nested) => {
              aTag(nested, 'dropped');
              await nested.flush();
              await nested.transactional(async (deeper) => void aTag(deeper, 'dropped with it'));
              throw new Error('inner');
            },
            { clear: true },
          );
          await inner.catch(() => {});
          await em.transactional(async (nested) => void aTag(nested, 'kept 2'), { clear: true });
        });
        expect(names()).toEqual(['kept 1', 'kept 2']);
        expect(seen.events).toEqual(['afterRollback of savepoint', 'beforeCommit 2', 'afterCommit']);
      });

      it('vanishes with the transaction around it', async () => {
        const failing = database.fork().transactional(async (em) => {
          await em.transactional(async (inner) => void aTag(inner));
          throw new Error('outer');
        });
        await expect(failing).rejects.toThrow('outer');
        expect(seen.changes).toEqual([]);
      });
    });

    describe('after the commit', () => {
      it('turns no error into a failed flush, reaches every subscriber, and reports', async () => {
        afterwards = () => {
          throw new Error('mail server is down');
        };
        const em = database.fork();
        const tag = aTag(em);
        await em.flush();
        expect(await isStored(tag)).toBe(true);
        expect(seen.events).toEqual(['beforeCommit 1', 'afterCommit']);
        expect(errors).toEqual([new Error('mail server is down')]);
      });

      it('keeps the reason of a rollback when a subscriber throws after it', async () => {
        afterwards = () => {
          throw new Error('mail server is down');
        };
        const failing = database.fork().transactional(() => Promise.reject(new Error('the reason')));
        await expect(failing).rejects.toThrow('the reason');
        expect(errors).toEqual([new Error('mail server is down')]);
      });
    });

    describe('onCommit', () => {
      it('runs after the outermost commit, in order, once', async () => {
        const order: string[] = [];
        await database.fork().transactional(async (em) => {
          onCommit(em, () => order.push('first'));
          await em.transactional(async (inner) => onCommit(inner, () => order.push('of savepoint')));
          aTag(em);
          order.push('still inside');
        });
        expect(order).toEqual(['still inside', 'first', 'of savepoint']);
      });

      it('is dropped with the savepoint or transaction that is rolled back', async () => {
        const order: string[] = [];
        await database.fork().transactional(async (em) => {
          onCommit(em, () => order.push('kept'));
          const inner = em.transactional((nested) => {
            onCommit(nested, () => order.push('dropped'));
            return Promise.reject(new Error('inner'));
          });
          await inner.catch(() => {});
        });
        const outer = database.fork().transactional((em) => {
          onCommit(em, () => order.push('dropped, too'));
          return Promise.reject(new Error('outer'));
        });
        await outer.catch(() => {});
        expect(order).toEqual(['kept']);
      });

      it('waits for the next flush when no transaction is open, and not for longer when there is nothing to flush', async () => {
        const order: string[] = [];
        const em = database.fork();
        onCommit(em, () => order.push('with changes'));
        aTag(em);
        expect(order).toEqual([]);
        await em.flush();
        onCommit(em, () => order.push('without'));
        await em.flush();
        expect(order).toEqual(['with changes', 'without']);
      });

      it('knows the transaction when it is given the EntityManager around it', async () => {
        const order: string[] = [];
        const outer = database.fork();
        await outer.transactional(async () => {
          onCommit(outer, () => order.push('committed'));
          await announceChanges(outer, [createOf({ id: 'x', name: 'in bulk' })]);
          expect(findInTransaction(outer)).not.toBe(outer);
        });
        expect(order).toEqual(['committed']);
        expect(names()).toEqual(['in bulk']);
        expect(findInTransaction(outer)).toBeUndefined();
      });

      it('isolates callbacks from each other and from the caller', async () => {
        const order: string[] = [];
        await database.fork().transactional(async (em) => {
          onCommit(em, () => Promise.reject(new Error('first fails')));
          onCommit(em, () => order.push('second runs'));
        });
        expect(order).toEqual(['second runs']);
        expect(errors).toEqual([new Error('first fails')]);
      });
    });

    describe('announced changes', () => {
      it('are handed over with those of the unit of work, in order', async () => {
        await database.fork().transactional(async (em) => {
          aTag(em, 'by unit of work');
          await em.flush();
          await announceChanges(em, [createOf({ id: 'x', name: 'in bulk' })]);
        });
        expect(names()).toEqual(['by unit of work', 'in bulk']);
      });

      it('vanish with their savepoint', async () => {
        await database.fork().transactional(async (em) => {
          const inner = em.transactional(async (nested) => {
            await announceChanges(nested, [createOf({ id: 'x', name: 'in bulk' })]);
            throw new Error('inner');
          });
          await inner.catch(() => {});
        });
        expect(seen.changes).toEqual([]);
      });

      it('are refused outside a transaction', async () => {
        await expect(announceChanges(database.fork(), [createOf({ id: 'x', name: 'x' })])).rejects.toThrow(
          TransactionRequiredError,
        );
      });

      it('are handed over in parts, so that they need not all be kept', async () => {
        const parts: number[] = [];
        reaction = async (changes) => void parts.push(changes.length);
        await database.fork().transactional(async (em) => {
          for (let batch = 0; batch < 4; batch++) {
            await announceChanges(
              em,
              Array.from({ length: 3 }, (_, row) => createOf({ id: `${batch}-${row}`, name: `${batch}-${row}` })),
            );
          }
        });
        expect(parts).toEqual([6, 6]);
        expect(seen.changes).toHaveLength(12);
      });

      it('are handed over with the scope of their savepoint, so that replies go with it', async () => {
        let reply: Tag | undefined;
        reaction = async (_, scope) => {
          if (!scope.parent) return;
          const em = scope.entityManager.fork({ clear: true });
          em.setTransactionContext(scope.transaction);
          reply = aTag(em);
          await em.flush();
        };
        await database.fork().transactional(async (em) => {
          aTag(em, 'outer, waiting');
          await em.flush();
          const inner = em.transactional(async (nested) => {
            const rows = Array.from({ length: MAX_WAITING }, (_, row) => createOf({ id: `${row}`, name: `${row}` }));
            await announceChanges(nested, rows);
            throw new Error('inner');
          });
          await inner.catch(() => {});
        });
        expect(seen.events).toEqual([
          'beforeCommit 5 in savepoint',
          'afterRollback of savepoint',
          'beforeCommit 1',
          'afterCommit',
        ]);
        expect(await isStored(reply as Tag)).toBe(false);
      });

      it('are wanted where a subscriber wants the class', () => {
        expect(areChangesWanted(database.fork(), Tag)).toBe(true);
      });
    });

    describe('the context', () => {
      const acme = aTenant('acme');
      const job = { id: 'job', type: 'job' } as const;

      it('is in a transaction while one is open, implicit or not, and out of it afterwards', async () => {
        await runInContext({}, async () => {
          const states: boolean[] = [];
          const note = () => states.push(currentContext().inTransaction);
          reaction = async () => void note();
          const em = database.fork();
          aTag(em);
          note();
          await em.flush();
          note();
          await em.transactional(async (inner) => {
            note();
            await inner.transactional(async () => void note());
          });
          note();
          await em.transactional(() => Promise.reject(new Error('no'))).catch(() => {});
          note();
          expect(states).toEqual([false, true, false, true, true, false, false]);
        });
      });

      it('refuses another tenant inside the transaction', async () => {
        await runAs({ tenant: acme, actor: job }, () =>
          database.fork().transactional(async () => {
            await expect(runAs({ tenant: aTenant('globex'), actor: job }, () => 1)).rejects.toThrow(
              TenantImmutableError,
            );
          }),
        );
      });
    });

    it('keeps twenty transactions at once apart', async () => {
      const work = async (index: number) => {
        const em = database.fork();
        await em.transactional(async (inner) => {
          aTag(inner, `parallel ${index}`);
          await inner.flush();
          if (index % 2 === 1) throw new Error('odd');
        });
      };
      const results = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => work(index)));
      expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(10);
      expect([...names()].sort()).toEqual(Array.from({ length: 10 }, (_, index) => `parallel ${index * 2}`).sort());
    });
  });
});
