import { AsyncLocalStorage } from 'node:async_hooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { CompiledQuery } from 'kysely';
import { createTestDatabase, eachEngine, type TestDatabase } from '#libs/testing';
import { ormOptions } from '../orm-options.js';
import { runInSystemFrame } from '../system-frame.js';
import { engines } from './engines.js';

/** Which schema a statement is sent for. */
const place = new AsyncLocalStorage<string>();

describe('reads that are kept prepared', () => {
  eachEngine(
    (engine) => {
      for (const carries of [false, true]) {
        describe(carries ? 'with settings in front' : 'alone', () => {
          let database: TestDatabase;
          let orm: MikroORM<AbstractSqlDriver>;

          beforeAll(async () => {
            database = await createTestDatabase(engine);
          });
          beforeEach(async () => {
            const settings = { names: ['search_path'], valuesOf: () => [place.getStore() ?? 'public'] };
            const overrides = { entities: [], discovery: { warnWhenNoEntities: false } };
            const carried = carries ? engines[engine.name].carry?.(settings) : {};
            // One connection, so that whatever one leaves behind the next one finds.
            orm = await MikroORM.init<AbstractSqlDriver>(
              ormOptions(database.url, { ...overrides, ...carried }, { max: 1 }),
            );
            await asKit('drop table if exists thing; create table thing (id int primary key, name text)');
            await asKit("insert into thing values (1, 'one'), (2, 'two')");
          });
          afterEach(() => orm.close(true));
          afterAll(() => database.drop());

          const fork = () => orm.em.fork() as SqlEntityManager;
          const asKit = (sql: string) => runInSystemFrame('test', () => fork().execute(sql));
          const read = async (sql: string, value: unknown, em = fork()) =>
            (await em.getKysely().executeQuery(CompiledQuery.raw(sql, [value]))).rows;
          const find = (id: number) => read('select * from thing where id = $1', id);
          const prepared = async () => {
            const rows = await fork().execute<{ statement: string }[]>(
              "select statement from pg_prepared_statements where statement like 'select % thing%' order by 1",
            );
            return rows.map(({ statement }) => statement);
          };

          it('are prepared when they come again, and answer with the values of each call', async () => {
            expect(await find(1)).toEqual([{ id: 1, name: 'one' }]);
            expect(await prepared()).toEqual([]);
            for (const id of [2, 1, 2]) expect(await find(id)).toMatchObject([{ id }]);
            expect(await prepared()).toEqual(['select * from thing where id = $1']);
          });

          it('are read anew where the table has changed since', async () => {
            for (const id of [1, 2, 1]) await find(id);
            await asKit("alter table thing add column colour text default 'red'");
            expect(await find(2)).toEqual([{ id: 2, name: 'two', colour: 'red' }]);
            expect(await find(1)).toEqual([{ id: 1, name: 'one', colour: 'red' }]);
          });

          it('are read without being prepared once the server has forgotten them, as behind a pooler', async () => {
            for (const id of [1, 2, 1]) await find(id);
            await asKit('deallocate all');
            if (carries) await find(1).catch((error: Error) => expect(error.message).toMatch(/rowhouse_settings/));
            for (const id of [2, 1, 2]) expect(await find(id)).toMatchObject([{ id }]);
            expect(await prepared()).toEqual([]);
          });

          it('run nothing that another client has prepared, on a connection that a pooler hands round', async () => {
            for (const id of [1, 2, 1]) await find(id);
            const names = async () =>
              (
                await fork().execute<{ name: string }[]>(
                  "select name from pg_prepared_statements where statement like 'select * from thing%'",
                )
              ).map(({ name }) => name);
            const [first] = await names();
            await orm.reconnect();
            for (const id of [1, 2]) await read('select name from thing where id = $1', id);
            for (const id of [1, 2, 1]) await find(id);
            expect(await names()).toEqual([first]);
          });

          it('report their own failures as they are', async () => {
            for (let n = 0; n < 3; n++) {
              await expect(read('select nothing from thing where id = $1', 1)).rejects.toThrow(
                /"nothing" does not exist/,
              );
              await expect(read('select 1 / ($1::int - 1) from thing', 1)).rejects.toThrow(/division by zero/);
            }
            expect(await find(1)).toMatchObject([{ id: 1 }]);
          });

          it('are not many: those that did not come for longest go', async () => {
            const text = (n: number) => `select ${n} as n from thing where id = $1`;
            for (let n = 0; n < 150; n++) for (let again = 0; again < 2; again++) await read(text(n), 1);
            const kept = await prepared();
            expect(kept.length).toBeLessThanOrEqual(64);
            expect(kept).toContain(text(149));
            expect(kept).not.toContain(text(0));
            expect(await read(text(0), 2)).toEqual([{ n: 0 }]);
          });

          it('stay as long as they are used, however many others come meanwhile', async () => {
            for (const id of [1, 2]) await find(id);
            const times = () =>
              fork().execute(
                "select prepare_time from pg_prepared_statements where statement = 'select * from thing where id = $1'",
              );
            const before = await times();
            expect(before).toHaveLength(1);
            for (let n = 0; n < 150; n++) {
              await read(`select ${n} as once from thing where id = $1`, 1);
              if (n % 10 === 0) await find(1);
            }
            expect(await times()).toEqual(before);
          });

          it('are left alone inside a transaction, which a failure would end', async () => {
            for (const id of [1, 2]) await find(id);
            await fork().transactional(async (em) => {
              const tx = em as SqlEntityManager;
              for (const id of [1, 2, 1])
                expect(await read('select name from thing where id = $1', id, tx)).toHaveLength(1);
            });
            expect(await prepared()).toEqual(['select * from thing where id = $1']);
          });

          it('are right for many at once', async () => {
            const ids = Array.from({ length: 100 }, (_, n) => (n % 2) + 1);
            expect(await Promise.all(ids.map(find))).toEqual(ids.map((id) => [expect.objectContaining({ id })]));
          });

          if (!carries) return;
          it('read the tables of the search path they are sent with', async () => {
            await asKit('drop schema if exists beside cascade; create schema beside');
            await asKit("create table beside.thing (id int, name text); insert into beside.thing values (1, 'beside')");
            for (let n = 0; n < 10; n++) {
              expect(await place.run('beside', () => find(1))).toEqual([{ id: 1, name: 'beside' }]);
              expect(await find(1)).toEqual([{ id: 1, name: 'one' }]);
            }
          });
        });
      }
    },
    ['postgresql'],
  );
});
