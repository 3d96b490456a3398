import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eachEngine } from '#libs/testing';
import { aShardSuite } from './layouts.js';

/** A statement that takes longer than any test, and how to see whether a server still works at it. */
const SLOW = {
  postgresql: {
    sql: 'select pg_sleep(60) as deadline_of_a_shard',
    running: "select 1 from pg_stat_activity where state = 'active' and query like 'select pg_sleep(60) as deadline%'",
  },
  mysql: {
    sql: 'select sleep(60) as deadline_of_a_shard',
    running: "select 1 from information_schema.processlist where info like 'select sleep(60) as deadline%'",
  },
};

describe('the deadline of a call', () => {
  eachEngine(
    (engine) => {
      const suite = aShardSuite({ engines: [engine, engine] });
      const { sql, running } = engine.name === 'postgresql' ? SLOW.postgresql : SLOW.mysql;
      const isRunning = async () => (await suite.registry.entityManager('shard-2').execute(running)).length > 0;
      const until = async (wanted: boolean) => {
        while ((await isRunning()) !== wanted) await new Promise((resolve) => setTimeout(resolve, 5));
      };

      // MikroORM writes a line for each query that is called off.
      beforeAll(() => {
        jest.spyOn(console, 'error').mockImplementation(() => undefined);
      });
      afterAll(() => {
        jest.restoreAllMocks();
      });

      it('ends the statement at the server, too', async () => {
        const em = suite.create();
        const call = em.execute(sql, [], { shard: 'shard-1', deadlineMs: 500 });
        const failure = expect(call).rejects.toThrow(/no answer within 500 ms/);
        await until(true);
        await failure;
        await until(false);
        expect(await em.execute('select 1 as one', [], { shard: 'shard-1' })).toEqual([{ one: 1 }]);
      });

      it('ends what the others still do when one shard fails', async () => {
        const em = suite.create({ executeChooser: () => ['shard-1', 'shard-2'] });
        await suite.registry.entityManager('shard-2').execute('drop table if exists slow');
        await suite.registry.entityManager('shard-1').execute('create table slow (n integer)');
        const call = em.execute(`${sql}, (select count(*) from slow) as n`);
        await expect(call).rejects.toThrow(/slow/);
        await until(false);
      });
    },
    ['postgresql', 'mysql', 'mariadb'],
  );
});
