import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MikroORM } from '@mikro-orm/core';
import { type AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { sql } from 'kysely';
import { NoTenantInContextError, runInContext } from '#libs/context';
import { engines, ormOptions, runInSystemFrame } from '#libs/persistence';
import { GuardedEntityManager, guardedDriver } from '#libs/tenancy';
import { aDatabase, aTenant, Book, Category, eachEngine, shopModel, Tag } from '#libs/testing';
import { aShop, as, type Shop } from './isolation-world.js';

const BACKEND = {
  sqlite: 'select 1 as id',
  postgresql: 'select pg_backend_pid() as id',
  mysql: 'select connection_id() as id',
  mariadb: 'select connection_id() as id',
};

/** Which server process (or thread) answers. */
async function backendOf(orm: MikroORM<AbstractSqlDriver>, engine: keyof typeof BACKEND): Promise<unknown> {
  const em = orm.em.fork() as SqlEntityManager;
  return runInSystemFrame('ask for the backend', async () => (await em.execute(BACKEND[engine]))[0]?.id);
}

describe('isolation of tenants at the same time', () => {
  eachEngine((engine) => {
    const witness = aDatabase(engine, shopModel);
    let orm: MikroORM<AbstractSqlDriver>;
    let bare: MikroORM<AbstractSqlDriver>;
    let acme: Shop;
    let globex: Shop;

    beforeAll(async () => {
      const entities = [...shopModel];
      const driver = guardedDriver(engines[engine.name]);
      const guarded = { entities, driver, entityManager: GuardedEntityManager };
      // One connection, so that the tenants take turns on the same one.
      orm = await MikroORM.init(ormOptions(witness.url, guarded, { max: 1 }));
      bare = await MikroORM.init(ormOptions(witness.url, { entities }, { max: 1 }));
      acme = await aShop(witness, 'acme');
      globex = await aShop(witness, 'globex');
    }, 30_000);

    afterAll(async () => {
      await orm.close(true);
      await bare.close(true);
    });

    /** A request that reads in every way, with pauses in between, so that no scope ends before the next one starts. */
    async function request(on: MikroORM<AbstractSqlDriver>, shop: Shop, seed: number): Promise<string> {
      return as(shop.tenant, async () => {
        const em = on.em.fork() as SqlEntityManager;
        const answers: unknown[] = [];
        const steps = [
          () => em.find(Category, {}),
          () => em.findOne(Book, { id: acme.book }),
          () => em.findOne(Book, { id: globex.book }),
          () => em.execute('select * from tag where tenant_id = ?', [shop.tenant.id]),
          () => sql`select name from category where tenant_id = ${shop.tenant.id}`.execute(em.getKysely()),
          () => em.transactional(async (tx) => [await tx.find(Tag, {}), await delay(seed % 3), await tx.count(Tag)]),
        ];
        for (const [index] of steps.entries()) {
          await delay((seed * (index + 3)) % 7);
          answers.push(await steps[(index + seed) % steps.length]?.());
        }
        return JSON.stringify(answers, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
      });
    }

    async function leaksOf(on: MikroORM<AbstractSqlDriver>): Promise<number> {
      const answers = await Promise.all(
        Array.from({ length: 200 }, async (_, index) => {
          const [own, other] = index % 2 ? [acme, globex] : [globex, acme];
          const answer = await request(on, own, index);
          expect(answer).toContain(own.canary);
          return answer.includes(other.canary);
        }),
      );
      return answers.filter(Boolean).length;
    }

    it('shows each of 200 requests its own rows only, on one connection', async () => {
      const backend = await backendOf(orm, engine.name);
      expect(await leaksOf(orm)).toBe(0);
      expect(await backendOf(orm, engine.name)).toEqual(backend);
    }, 60_000);

    it('is looked at by requests that would show a leak', async () => {
      expect(await leaksOf(bare)).toBe(200);
    }, 60_000);

    it('leaves nothing of a request that failed to the next one', async () => {
      const backend = await backendOf(orm, engine.name);
      for (const [own, other] of [
        [acme, globex],
        [globex, acme],
      ] as const) {
        await expect(
          as(own.tenant, () =>
            (orm.em.fork() as SqlEntityManager).transactional(async (tx) => {
              await tx.find(Tag, {});
              await tx.execute('select nothing from tag where tenant_id = ?', [own.tenant.id]);
            }),
          ),
        ).rejects.toThrow(/nothing/);
        expect(await request(orm, other, 1)).not.toContain(own.canary);
      }
      expect(await backendOf(orm, engine.name)).toEqual(backend);
    });

    it('lets a transaction end whose context is gone, and gives its connection back', async () => {
      const em = orm.em.fork() as SqlEntityManager;
      await as(acme.tenant, () => em.begin());
      await runInContext({}, async () => {
        await expect(em.find(Tag, {})).rejects.toThrow(NoTenantInContextError);
        await em.rollback();
      });
      expect(await request(orm, globex, 2)).toContain(globex.canary);
    });

    it('answers work started by a loop outside of any scope with an error, not with rows', async () => {
      const em = orm.em.fork() as SqlEntityManager;
      const answers: unknown[] = [];
      const queue: (() => Promise<void>)[] = [];
      await as(acme.tenant, () => {
        queue.push(async () => void answers.push(await em.find(Tag, {}).catch((error: Error) => error.name)));
      });
      // The loop runs what a scope left behind, in its own context.
      for (const job of queue) await job();
      expect(answers).toEqual(['NoContextError']);
    });

    describe('tells nothing by how it answers', () => {
      /** The answer without the ids that were asked for. */
      const answerTo = (work: (em: SqlEntityManager) => Promise<unknown>, ...asked: string[]) =>
        as(acme.tenant, () => work(orm.em.fork() as SqlEntityManager)).then(
          (found) => JSON.stringify(found ?? null),
          (error: Error) => asked.reduce((text, id) => text.replaceAll(id, 'ID'), `${error.name}: ${error.message}`),
        );
      const never = () => aTenant().id;

      it.each<[string, (em: SqlEntityManager, id: string) => Promise<unknown>]>([
        ['findOne', (em, id) => em.findOne(Book, { id })],
        ['findOneOrFail', (em, id) => em.findOneOrFail(Book, { id })],
        ['nativeUpdate', (em, id) => em.nativeUpdate(Tag, { id }, { name: 'x' })],
        ['nativeDelete', (em, id) => em.nativeDelete(Tag, { id })],
        [
          'a foreign key',
          (em, id) => em.insert(Category, { id: never(), name: 'x', parent: id } as never).then(() => 'done'),
        ],
      ])('%s: another tenant’s id is as good as one that never existed', async (_, work) => {
        const [foreign, unknown] = [globex.book, never()];
        const answer = await answerTo((em) => work(em, unknown), unknown);
        expect(await answerTo((em) => work(em, foreign), foreign)).toBe(answer.replaceAll(unknown, 'ID'));
      });

      it('a unique value of another tenant is free', async () => {
        const answer = await answerTo((em) => em.insert(Tag, { id: never(), name: globex.canary }).then(() => 'done'));
        expect(answer).toBe('"done"');
        await as(acme.tenant, () => (orm.em.fork() as SqlEntityManager).nativeDelete(Tag, { name: globex.canary }));
      });
    });
  });
});
