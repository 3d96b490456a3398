import { beforeEach, describe, expect, it } from '@jest/globals';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { currentContext, runAs } from '#libs/context';
import { aDatabase, aTenant, eachEngine, type SuiteDatabase } from '#libs/testing';
import { CurrentEntityManager } from '../current-entity-manager.js';
import { findInTransaction } from '../events/find-in-transaction.js';
import { Account } from './account.fixture.js';
import { Transactional } from './transactional.decorator.js';

const UNIT_OF_WORK = Symbol('unit of work');

/** As an application binds it: one unit of work per context. */
class ContextEntityManager extends CurrentEntityManager {
  constructor(private readonly database: SuiteDatabase) {
    super();
  }

  get(): SqlEntityManager {
    const unitOfWork = currentContext().resource(UNIT_OF_WORK, () => this.database.fork());
    return findInTransaction(unitOfWork) ?? unitOfWork;
  }
}

class Bank {
  constructor(private readonly entityManager: CurrentEntityManager) {}

  @Transactional()
  async open(id: number, fails = false): Promise<string> {
    const em = this.entityManager.get();
    expect(em.isInTransaction()).toBe(true);
    em.persist(new Account(id, 1));
    await em.flush();
    if (fails) throw new Error('after the flush');
    return `opened ${id}`;
  }

  @Transactional()
  async openSome(ids: readonly number[]): Promise<void> {
    // One that fails is a savepoint: the others are kept.
    for (const id of ids) await this.open(id, id === 13).catch(() => {});
  }

  @Transactional({ propagation: 'mandatory' })
  async needsOne(): Promise<void> {}

  async count(): Promise<number> {
    return this.entityManager.transactional((em) => em.count(Account), { readOnly: true });
  }
}

class Homeless {
  @Transactional()
  async work(): Promise<void> {}
}

describe('@Transactional()', () => {
  eachEngine((engine) => {
    const database = aDatabase(engine, [Account]);
    const bank = () => new Bank(new ContextEntityManager(database));
    const asRequest = <T>(fn: () => Promise<T>) =>
      runAs({ tenant: aTenant(), actor: { id: 'spec', type: 'system' } }, fn);

    beforeEach(() => database.fork().nativeDelete(Account, {}));

    it('runs the method in a transaction, with its arguments and its result', async () => {
      await asRequest(async () => {
        expect(await bank().open(1)).toBe('opened 1');
        await expect(bank().open(2, true)).rejects.toThrow('after the flush');
        expect(await bank().count()).toBe(1);
      });
    });

    it('makes a method that another one calls a savepoint of its transaction', async () => {
      await asRequest(async () => {
        await bank().openSome([1, 13, 2]);
        expect(await bank().count()).toBe(2);
      });
    });

    it('keeps its options', async () => {
      await asRequest(() => expect(bank().needsOne()).rejects.toMatchObject({ code: 'transaction_required' }));
    });

    it('keeps the transactions of two requests apart', async () => {
      const results = await Promise.allSettled([
        asRequest(() => bank().open(1)),
        asRequest(() => bank().open(2, true)),
        asRequest(() => bank().open(3)),
      ]);
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(await asRequest(() => bank().count())).toBe(2);
    });
  });

  it('says what is missing when the object has no EntityManager', async () => {
    await expect(new Homeless().work()).rejects.toThrow(/Homeless\.work finds no EntityManager/);
  });
});
