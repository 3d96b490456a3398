import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { MikroORM } from '@mikro-orm/core';
import { type AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { GuardedEntityManager } from '#libs/tenancy';
import { aDatabase, eachEngine, shopModel } from '#libs/testing';
import { memory } from './cases/memory.js';
import { nobody } from './cases/nobody.js';
import { reads } from './cases/reads.js';
import { statements } from './cases/statements.js';
import { writes } from './cases/writes.js';
import type { IsolationCase } from './isolation-case.js';
import { openWith, tryCase } from './isolation-run.js';
import { ShopKeeper } from './isolation-world.js';

/**
 * What each part of the EntityManager's guard is for: with that part alone away, and nothing looking at statements, this
 * comes through. Parts that are not listed complete data or fail early; the flush stands behind them.
 */
const NEEDED_FOR: Readonly<Record<string, readonly [readonly IsolationCase[], string]>> = {
  applyFilters: [memory, 'a named result of count'],
  find: [reads, 'a fragment in a condition'],
  findOne: [memory, 'an entity under a key that is not its own'],
  getReference: [memory, 'a reference from such an identity map'],
  lock: [reads, 'lock a reference made by the factory'],
  tryCache: [memory, 'a named result of a query builder'],
  merge: [statements, 'query builder, select'],
  insert: [writes, 'insert'],
  insertMany: [writes, 'insertMany'],
  upsert: [writes, 'upsert onto a foreign key'],
  upsertMany: [writes, 'upsertMany onto foreign keys'],
  nativeUpdate: [writes, 'nativeUpdate that gives rows away'],
  nativeDelete: [writes, 'nativeDelete of a class-table leaf, which would leave half a row'],
  createQueryBuilder: [nobody, 'the query builder with the tenant in it'],
  getKysely: [nobody, 'Kysely with the tenant in it'],
  execute: [nobody, 'raw SQL with the tenant in it'],
};

const NEEDS_THE_WALL: readonly string[] = [
  'change a reference made by the factory and flush',
  'remove a reference through the unit of work',
  'persist it through the unit of work',
  'give an own row away by wrap().assign()',
  'give an own row away by writing the property',
];

type Methods = Record<string, unknown>;

describe('each part of the guarded EntityManager', () => {
  // What is tried is JavaScript, the same on every engine.
  eachEngine(
    (engine) => {
      const witness = aDatabase(engine, shopModel);
      let orm: MikroORM<AbstractSqlDriver>;
      let putBack: () => void = () => {};

      beforeAll(async () => {
        orm = await openWith(engine, witness, ['entity-manager']);
      });
      afterAll(() => orm.close(true));
      afterEach(() => putBack());

      function replace(methods: object, name: string, by: unknown): void {
        const { [name]: original } = methods as Methods;
        (methods as Methods)[name] = by;
        putBack = () => Object.assign(methods, { [name]: original });
      }

      async function comesThrough(isolationCase: IsolationCase): Promise<boolean> {
        const open = () => orm.em.fork() as SqlEntityManager;
        return (await tryCase(open, new ShopKeeper(witness), isolationCase)).reached;
      }

      it.each(Object.entries(NEEDED_FOR))('%s is needed', async (method, [cases, title]) => {
        const isolationCase = cases.find((it) => it.title === title) as IsolationCase;
        expect(await comesThrough(isolationCase)).toBe(false);
        replace(GuardedEntityManager.prototype, method, SqlEntityManager.prototype[method as keyof SqlEntityManager]);
        expect(await comesThrough(isolationCase)).toBe(true);
      });

      it.each(NEEDS_THE_WALL)('the look at the flush is needed: %s', async (title) => {
        const isolationCase = writes.find((it) => it.title === title) as IsolationCase;
        expect(await comesThrough(isolationCase)).toBe(false);
        const subscribers = [...orm.em.getEventManager().getSubscribers()];
        const wall = subscribers.find((subscriber) => subscriber.constructor.name === 'TenantWallSubscriber');
        replace(Object.getPrototypeOf(wall), 'onFlush', () => {});
        expect(await comesThrough(isolationCase)).toBe(true);
      });
    },
    ['sqlite'],
  );
});
