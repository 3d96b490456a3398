import { describe, expect, it } from '@jest/globals';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlConnection, AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { type Kysely, sql } from 'kysely';
import { aDatabase, eachEngine } from '#libs/testing';
import { PoolExhaustedError } from '../errors/pool-exhausted.error.js';
import { type OrmOverrides, ormOptions } from '../orm-options.js';
import { Account } from '../transactions/account.fixture.js';
import { transactional } from '../transactions/transactional.js';
import type { PoolOptions } from './engine.js';
import { getEngine } from './engines.js';
import { type PoolFigures, poolFiguresOf } from './pool-gate.js';

describe('a connection pool', () => {
  eachEngine((engine) => {
    const database = aDatabase(engine, [Account]);
    const isSqlite = engine.name === 'sqlite';

    async function withPool(
      pool: PoolOptions,
      work: (fork: () => SqlEntityManager, figures: () => PoolFigures) => Promise<void>,
    ): Promise<MikroORM<AbstractSqlDriver>> {
      const orm = new MikroORM<AbstractSqlDriver>(ormOptions(database.url, { entities: [Account] }, pool));
      try {
        await work(
          () => orm.em.fork() as SqlEntityManager,
          () => poolFiguresOf(orm.driver)[0] as PoolFigures,
        );
      } finally {
        await orm.close(true);
      }
      return orm;
    }
    const ask = (em: SqlEntityManager) => em.execute('select 1 as one');

    it('that is full answers in bounded time, and is whole afterwards', () =>
      withPool({ max: 1, acquireTimeoutMs: 50 }, async (fork, figures) => {
        const held = Promise.withResolvers<void>();
        const open = Promise.withResolvers<void>();
        const holder = fork().transactional(async (em) => {
          await ask(em as SqlEntityManager);
          open.resolve();
          await held.promise;
        });
        await open.promise;
        const late = await Promise.allSettled([
          ask(fork()),
          fork().find(Account, {}),
          transactional(fork(), (em) => ask(em)),
        ]);
        const whileFull = figures();
        const waiting = ask(fork());
        held.resolve();
        await holder;
        for (const it of late) {
          expect(it).toMatchObject({ status: 'rejected', reason: expect.any(PoolExhaustedError) });
          expect(it).toMatchObject({ reason: { code: 'pool_exhausted', max: 1, waitedMs: 50 } });
        }
        expect(whileFull).toEqual({ role: 'primary', max: 1, inUse: 1, waiting: 0, timeouts: 3 });
        expect(await waiting).toEqual([{ one: 1 }]);
        expect(figures()).toMatchObject({ inUse: 0, waiting: 0 });
      }));

    it('of one serves nested work that keeps to its transaction, and refuses the rest', () =>
      withPool({ max: 1, acquireTimeoutMs: 50 }, async (fork) => {
        const em = fork();
        await transactional(em, async (outer) => {
          await transactional(outer, (inner) => ask(inner));
          const error = await ask(fork()).catch((it: { code?: string }) => it.code);
          expect(error).toBe(isSqlite ? 'connection_held' : 'pool_exhausted');
          await ask(outer);
        });
        await ask(em);
      }));

    it('serves those who wait in the order in which they came', () =>
      withPool({ max: 1 }, async (fork, figures) => {
        await ask(fork());
        const order: number[] = [];
        const work = Array.from({ length: 20 }, (_, n) => ask(fork()).then(() => order.push(n)));
        await Promise.all(work);
        expect(order).toEqual(Array.from({ length: 20 }, (_, n) => n));
        expect(figures()).toMatchObject({ inUse: 0, waiting: 0, timeouts: 0 });
      }));

    it('gives its place back after every kind of failure', () =>
      withPool({ max: 1, acquireTimeoutMs: 2_000 }, async (fork, figures) => {
        for (let round = 0; round < 3; round++) {
          await expect(fork().execute('select nothing from nowhere')).rejects.toThrow();
          const failed = transactional(fork(), async (em) => {
            await ask(em);
            throw new RangeError('not today');
          });
          await expect(failed).rejects.toThrow(RangeError);
        }
        expect(figures()).toMatchObject({ inUse: 0, timeouts: 0 });
      }));

    it('of a replica has the same size and patience', async () => {
      const replicas = [getEngine(database.url).connectionOptions(database.url)];
      const given = { entities: [Account], replicas, preferReadReplicas: true } as OrmOverrides;
      const orm = new MikroORM<AbstractSqlDriver>(ormOptions(database.url, given, { max: 1, acquireTimeoutMs: 50 }));
      try {
        const [replica] = (orm.driver as unknown as { replicas: AbstractSqlConnection[] }).replicas;
        await replica?.connect();
        const client = replica?.getClient() as Kysely<unknown>;
        const late = await client.transaction().execute(async (transaction) => {
          await sql`select 1`.execute(transaction);
          return sql`select 1`.execute(client).catch((error: unknown) => error);
        });
        expect(late).toMatchObject({ code: 'pool_exhausted', max: 1, waitedMs: 50 });
        expect(poolFiguresOf(orm.driver)).toMatchObject([
          { role: 'primary', max: 1, timeouts: 0 },
          { role: 'replica', max: 1, inUse: 0, timeouts: 1 },
        ]);
      } finally {
        await orm.close(true);
      }
    });

    it('gives its connection back when the SQL of taking one fails', async () => {
      let isBroken = true;
      const options = {
        max: 1,
        acquireTimeoutMs: 2_000,
        onReserveSql: () => [isBroken ? 'select 1 from nowhere' : 'select 1'],
      };
      await withPool(options, async (fork, figures) => {
        for (let round = 0; round < 3; round++) await expect(ask(fork())).rejects.toThrow(/nowhere/);
        isBroken = false;
        expect(await ask(fork())).toEqual([{ one: 1 }]);
        expect(figures()).toMatchObject({ inUse: 0, timeouts: 0 });
      });
    });

    it('sends its SQL once on every new connection, and each time one is taken', async () => {
      let reserved = 0;
      const isPostgresql = engine.name === 'postgresql';
      const set = (value: string) =>
        isPostgresql ? `set rowhouse.test = '${value}'` : `set @rowhouse_test = '${value}'`;
      const read = isPostgresql ? "select current_setting('rowhouse.test') as value" : 'select @rowhouse_test as value';
      const pragma = { set: (n: number) => `pragma cache_size = ${n}`, read: 'pragma cache_size' };
      const options: PoolOptions = {
        max: 1,
        onCreateSql: [isSqlite ? pragma.set(1) : set('made')],
        onReserveSql: () => [isSqlite ? pragma.set(++reserved + 100) : set(`${++reserved}`)],
      };
      await withPool(options, async (fork) => {
        for (let n = 1; n <= 3; n++) {
          const [row] = await fork().execute(isSqlite ? pragma.read : read);
          const value = isSqlite ? Number(row.cache_size) - 100 : Number(row.value);
          expect(value).toBe(reserved);
        }
        expect(reserved).toBeGreaterThanOrEqual(3);
      });
      const { onReserveSql: _, ...onlyCreated } = options;
      await withPool(onlyCreated, async (fork) => {
        const [row] = await fork().execute(isSqlite ? pragma.read : read);
        expect(isSqlite ? row.cache_size : row.value).toBe(isSqlite ? 1 : 'made');
      });
    });
  });
});
