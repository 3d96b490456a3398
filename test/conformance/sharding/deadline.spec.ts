import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { raw } from '@mikro-orm/core';
import type { ShardedEntityManager } from '#libs/sharding';
import { eachEngine } from '#libs/testing';
import { aShardSuite, seedWeather } from './layouts.js';
import { Location } from './weather.model.js';

/** A statement that takes longer than any test, and how to see whether a server still works at it. */
const SLOW = {
  postgresql: {
    sql: 'select pg_sleep(60) as deadline_of_a_shard',
    condition: 'pg_sleep(60) is not null',
    running:
      "select 1 from pg_stat_activity where state = 'active' and query like '%pg_sleep(60)%' and pid <> pg_backend_pid()",
  },
  mysql: {
    sql: 'select sleep(60) as deadline_of_a_shard',
    condition: 'sleep(60) = 0',
    running: "select 1 from information_schema.processlist where info like '%sleep(60)%' and id <> connection_id()",
  },
};

const SOON = { deadlineMs: 500 };

/** Reads with a condition that takes its time. */
const READS: Readonly<Record<string, (em: ShardedEntityManager, slowly: object) => Promise<unknown>>> = {
  find: (em, slowly) => em.find(Location, slowly, SOON),
  'find in an order': (em, slowly) => em.find(Location, slowly, { ...SOON, orderBy: { city: 'asc' }, limit: 3 }),
  findOne: (em, slowly) => em.findOne(Location, slowly, SOON),
  count: (em, slowly) => em.count(Location, slowly, SOON),
  aggregate: (em, slowly) => em.aggregate(Location, { where: slowly, select: { all: 'count' } }, SOON),
  stream: (em, slowly) => em.stream(Location, { where: slowly, ...SOON }).next(),
};

describe('the deadline of a call', () => {
  eachEngine(
    (engine) => {
      const suite = aShardSuite({ engines: [engine, engine] });
      const { sql, condition, running } = engine.name === 'postgresql' ? SLOW.postgresql : SLOW.mysql;
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

      it.each(Object.keys(READS))('ends a %s at the server, too', async (name) => {
        await suite.create().insertMany(Location, [{ id: 1, continent: 'north_america' }]);
        const call = READS[name]?.(suite.create(), { [raw(condition)]: [] });
        const failure = expect(call).rejects.toThrow(/no answer within 500 ms/);
        await until(true);
        await failure;
        await until(false);
      });

      it('leaves time to load the relations of those that answered', async () => {
        await seedWeather(suite);
        const slowly = { [raw(`case when id = 2 then ${condition} else id < 4 end`)]: [] };
        const options = { ...SOON, orderBy: { id: 'asc' }, populate: ['reports'], strategy: 'select-in' } as const;
        const { rows, missing } = await suite.create().findPartial(Location, slowly, options);
        expect(missing.map(({ id }) => id)).toEqual(['shard-2']);
        expect(rows.map(({ id, reports }) => [id, reports.length])).toEqual([
          [1, 1],
          [3, 1],
        ]);
        await until(false);
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
