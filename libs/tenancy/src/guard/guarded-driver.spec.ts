import { describe, expect, it, jest } from '@jest/globals';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlConnection, AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import Database from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { runAs, runInContext } from '#libs/context';
import { engines, findSystemFrame, ormOptions, runInSystemFrame } from '#libs/persistence';
import { aDatabase, aTenant, eachEngine, shopModel, Tag } from '#libs/testing';
import { OperationRefusedError } from './errors/operation-refused.error.js';
import { StatementRefusedError } from './errors/statement-refused.error.js';
import { guardedDriver } from './guarded-driver.js';

const as = <T>(fn: () => T | Promise<T>) => runAs({ tenant: aTenant(), actor: { id: 'spec', type: 'system' } }, fn);

describe('guardedDriver', () => {
  eachEngine((engine) => {
    const database = aDatabase(engine, shopModel, { driver: guardedDriver(engines[engine.name]) });
    const connection = () => database.orm.em.getConnection() as AbstractSqlConnection;

    it('passes its refusals on as they are', async () => {
      await as(async () => {
        const em = database.fork();
        for (const attempt of [
          () => em.find(Tag, {}),
          () => em.execute('select * from tag'),
          () => em.getKysely<{ tag: object }>().selectFrom('tag').selectAll().execute(),
          () => em.nativeDelete(Tag, {}),
          () => em.getKysely<{ tag: object }>().selectFrom('tag').selectAll().stream().next(),
        ]) {
          await expect(attempt()).rejects.toThrow(StatementRefusedError);
        }
      });
    });

    it('answers a health check that knows no tenant', async () => {
      await runInContext({}, async () => expect(await connection().checkConnection()).toEqual({ ok: true }));
    });

    it('runs the hooks of a connection in a system frame, also when a request is the first to need one', async () => {
      const frames: (string | undefined)[] = [];
      const driver = guardedDriver(engines[engine.name]);
      const onCreateConnection = async () => void frames.push(findSystemFrame());
      const orm = new MikroORM<AbstractSqlDriver>(
        ormOptions(database.url, { entities: [...shopModel], driver, onCreateConnection }),
      );
      await as(async () => {
        // MySQL makes its pool before the first statement, or not at all.
        await orm.connect();
        await (orm.em.fork() as SqlEntityManager).execute('select 1');
        expect(findSystemFrame()).toBeUndefined();
      });
      await orm.close(true);
      expect(frames.length).toBeGreaterThan(0);
      expect(frames.every((frame) => frame !== undefined)).toBe(true);
    });

    it('hands out the native client and takes dumps in a system frame only', async () => {
      await expect(connection().getNativeClient()).rejects.toThrow(OperationRefusedError);
      await expect(connection().executeDump('select 1')).rejects.toThrow(OperationRefusedError);
      await runInSystemFrame('spec', async () => {
        expect(await connection().getNativeClient()).toBeDefined();
        await connection().executeDump('select 1');
      });
    });

    it('lets an aborted call be stopped on the server', async () => {
      if (engine.name === 'sqlite') return;
      const sleep = engine.name === 'postgresql' ? 'select pg_sleep(5)' : 'select sleep(5)';
      const driver = guardedDriver(engines[engine.name], { functions: ['pg_sleep', 'sleep'] });
      const orm = await MikroORM.init<AbstractSqlDriver>(
        ormOptions(database.url, { entities: [...shopModel], driver }, { max: 2 }),
      );
      // Kysely reports what it stopped on the console.
      const report = jest.spyOn(console, 'error').mockImplementation(() => {});
      const started = performance.now();
      await as(async () => {
        const em = orm.em.fork({ signal: AbortSignal.timeout(100), inflightQueryAbortStrategy: 'cancel query' });
        await expect((em as SqlEntityManager).execute(sleep)).rejects.toThrow();
      });
      await orm.close(true);
      // Closing waits for what the server still does.
      expect(performance.now() - started).toBeLessThan(4_000);
      report.mockRestore();
    });

    it('refuses pools and clients that would go round it', () => {
      const kysely = new Kysely<unknown>({ dialect: new SqliteDialect({ database: new Database(':memory:') }) });
      const open = (driverOptions: object) =>
        new MikroORM<AbstractSqlDriver>(
          ormOptions(database.url, {
            entities: [...shopModel],
            driver: guardedDriver(engines[engine.name]),
            driverOptions,
          }),
        );
      expect(() => open(kysely)).toThrow(OperationRefusedError);
      expect(() => open(new SqliteDialect({ database: new Database(':memory:') }))).toThrow(OperationRefusedError);
      expect(() => open({ onPoolCreated: () => {} })).toThrow(OperationRefusedError);
      expect(() => open(() => ({}))).toThrow(OperationRefusedError);
      expect(() => runInSystemFrame('spec', () => open({ onPoolCreated: () => {} }))).not.toThrow();
    });
  });
});
