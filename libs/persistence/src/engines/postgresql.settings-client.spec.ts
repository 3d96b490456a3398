import { AsyncLocalStorage } from 'node:async_hooks';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { sql } from 'kysely';
import { createTestDatabase, eachEngine, type TestDatabase } from '#libs/testing';
import { ormOptions } from '../orm-options.js';
import { runInSystemFrame } from '../system-frame.js';
import { engines } from './engines.js';

/** Whom a statement is sent for. */
const sender = new AsyncLocalStorage<string>();
const HELD = "select current_setting('rowhouse.sender', true) as held";

describe('settings that travel with each statement', () => {
  eachEngine(
    (engine) => {
      let database: TestDatabase;
      let orm: MikroORM<AbstractSqlDriver>;
      const settings = { names: ['rowhouse.sender'], valuesOf: () => [sender.getStore() ?? ''] };

      beforeAll(async () => {
        database = await createTestDatabase(engine);
        // One connection, so that whatever one leaves behind the next one finds.
        const overrides = { entities: [], discovery: { warnWhenNoEntities: false } };
        const carried = engines[engine.name].carry?.(settings);
        orm = await MikroORM.init<AbstractSqlDriver>(
          ormOptions(database.url, { ...overrides, ...carried }, { max: 1 }),
        );
      });
      afterAll(async () => {
        await orm.close(true);
        await database.drop();
      });

      const fork = () => orm.em.fork() as SqlEntityManager;
      const as = <T>(name: string, work: (em: SqlEntityManager) => Promise<T>) => sender.run(name, () => work(fork()));
      const held = async (em: SqlEntityManager) => (await em.execute<{ held: string | null }[]>(HELD))[0]?.held;

      it('hold for their own statement, and leave nothing on the connection', async () => {
        expect(await as('one', held)).toBe('one');
        const client = (await orm.em.getConnection().getClient()) as unknown as { connect(): Promise<object> };
        expect(client).toBeDefined();
        expect(await as('other', held)).toBe('other');
        expect(await held(fork())).toBe('');
      });

      it('hold with values, in Kysely and in a stream', async () => {
        const text = sql<{
          held: string;
          n: number;
        }>`select current_setting('rowhouse.sender') as held, ${7}::int as n`;
        const rows = await as('kysely', async (em) => (await text.execute(em.getKysely())).rows);
        expect(rows).toEqual([{ held: 'kysely', n: 7 }]);
        const seen: unknown[] = [];
        await as('stream', async (em) => {
          const query = sql<{
            held: string;
          }>`select current_setting('rowhouse.sender') as held from generate_series(1, 5)`;
          const compiled = query.compile(em.getKysely());
          await em
            .getKysely()
            .connection()
            .execute(async (connection) => {
              for await (const row of connection.getExecutor().stream(compiled, 2)) seen.push(...row.rows);
            });
        });
        expect(seen).toEqual(Array.from({ length: 5 }, () => ({ held: 'stream' })));
        expect(await as('after', held)).toBe('after');
      });

      it('hold to the end of a transaction, past a savepoint that is rolled back', async () => {
        const seen = await as('one', (em) =>
          em.transactional(async (tx) => {
            await tx
              .transactional((inner) => held(inner).then(() => Promise.reject(new Error('undo'))))
              .catch(() => {});
            return [await held(tx), await sender.run('two', () => held(tx)), await held(tx)];
          }),
        );
        expect(seen).toEqual(['one', 'two', 'one']);
      });

      it('do not stand in the way of an isolation level', async () => {
        const level = await as('one', (em) =>
          em.transactional(
            async (tx) => (await tx.execute("select current_setting('transaction_isolation') as level"))[0],
            {
              isolationLevel: 'serializable' as never,
            },
          ),
        );
        expect(level).toEqual({ level: 'serializable' });
      });

      it('are there again after a statement that failed, in a transaction or outside', async () => {
        await expect(as('one', (em) => em.execute('select nothing'))).rejects.toThrow(/"nothing" does not exist/);
        expect(await as('two', held)).toBe('two');
        const failing = (em: SqlEntityManager) =>
          em.transactional(async (tx) => {
            await tx.execute('select nothing').catch(() => {});
            return held(tx);
          });
        await expect(as('one', failing)).rejects.toThrow(/nothing/);
        expect(await as('two', held)).toBe('two');
      });

      it('are there again after the server has forgotten what was prepared, as behind a pooler', async () => {
        expect(await as('one', held)).toBe('one');
        await runInSystemFrame('what a pooler does', () => fork().execute('deallocate all'));
        await as('lost', held).catch((error: Error) => expect(error.message).toMatch(/rowhouse_settings/));
        expect(await as('two', held)).toBe('two');
      });

      it('let no second statement ride on the first', async () => {
        for (const text of ['select 1; select 2', 'commit; select 2', 'savepoint a; select 2']) {
          await expect(as('one', (em) => em.execute(text))).rejects.toThrow(/multiple commands/);
          const second = (em: SqlEntityManager) => em.transactional((tx) => held(tx).then(() => tx.execute(text)));
          await expect(as('one', second)).rejects.toThrow(/multiple commands/);
        }
      });

      it('go ahead of work of the kit itself, which may be several statements in one text', async () => {
        const text = `create table kit (held text); insert into kit ${HELD}`;
        await as('kit', (em) => runInSystemFrame('test', () => em.execute(text)));
        expect(await as('one', (em) => em.execute('select held from kit'))).toEqual([{ held: 'kit' }]);
      });

      it('are right for many at once on one connection', async () => {
        const names = Array.from({ length: 100 }, (_, index) => `sender ${index}`);
        expect(await Promise.all(names.map((name) => as(name, held)))).toEqual(names);
      });
    },
    ['postgresql'],
  );
});
