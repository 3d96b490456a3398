import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { createTestDatabase, eachEngine } from '#libs/testing';
import { ormOptions } from '../orm-options.js';

const BACKEND: Readonly<Record<string, string>> = { postgresql: 'select pg_backend_pid() as id' };

describe('a pool', () => {
  eachEngine((engine) => {
    if (engine.name === 'sqlite') {
      it('is one connection, there as long as the file is open', () => expect(engine.name).toBe('sqlite'));
      return;
    }

    it.each([1, 2])('of %i keeps an idle connection until its time is over', async (max) => {
      const database = await createTestDatabase(engine);
      const options = ormOptions(
        database.url,
        { entities: [], discovery: { warnWhenNoEntities: false } },
        { max, idleTimeoutMs: 60_000 },
      );
      const orm = await MikroORM.init<AbstractSqlDriver>(options);
      const backend = async () => {
        const sql = BACKEND[engine.name] ?? 'select connection_id() as id';
        const [row] = await (orm.em.fork() as SqlEntityManager).execute<{ id: number }[]>(sql);
        return row?.id;
      };
      try {
        const before = await backend();
        // mysql2 looks once a second.
        await sleep(2_200);
        expect(await backend()).toBe(before);
      } finally {
        await orm.close(true);
        await database.drop();
      }
    });
  });
});
