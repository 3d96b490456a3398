import { beforeEach, describe, expect, it } from '@jest/globals';
import { raw } from '@mikro-orm/core';
import { RowConstraintError } from '#libs/persistence';
import { CrossShardWriteError, ShardKeyChangedError, ShardNotChosenError } from '#libs/sharding';
import { CONTINENTS, eachLayout, itApart, reportOf, seedWeather } from './layouts.js';
import { Location, Report } from './weather.model.js';

describe('writes past the unit of work', () => {
  eachLayout((suite) => {
    beforeEach(() => seedWeather(suite));

    it('updates on the shards concerned, sums the rows, and keeps loaded objects in step without asking', async () => {
      const em = suite.create({ mode: 'multi' });
      const locations = await em.find(Location, {}, { orderBy: { id: 'asc' } });
      const statements = await suite.statementsOf(async () => {
        expect(await em.nativeUpdate(Location, { id: { $gte: 3 } }, { city: 'renamed' })).toBe(2);
      });
      expect(statements).toEqual(suite.sentToEach());
      expect(locations.map(({ city }) => city)).toEqual(['New York', 'Tokyo', 'renamed', 'renamed']);
      expect(await suite.statementsOf(() => em.flush())).toEqual({});
    });

    it('asks which loaded objects a condition concerns when only the database can tell', async () => {
      const em = suite.create();
      const london = (await em.findOne(Location, 3)) as Location;
      const where = { continent: 'europe', city: { $like: 'Lon%' } };
      await em.nativeUpdate(Location, where, { city: raw("'by the database'") });
      expect(london.city).toBe('by the database');
      expect(await suite.statementsOf(() => em.flush())).toEqual({});
    });

    it('deletes on the shards concerned and forgets the loaded objects', async () => {
      const em = suite.create({ mode: 'multi' });
      await em.find(Report, {});
      expect(await em.nativeDelete(Report, { location: { continent: 'asia' } })).toBe(1);
      expect(await em.nativeDelete(Report, { reportedAt: { $gt: new Date(Date.UTC(2026, 0, 2)) } })).toBe(2);
      expect(await em.count(Report)).toBe(1);
      expect(await em.findOne(Report, reportOf(suite, 'asia'), { shard: suite.at('asia') })).toBeNull();
    });

    itApart(suite, 2, 'refuses several shards in the mode "single", before any SQL', async () => {
      const em = suite.create();
      const statements = await suite.statementsOf(async () => {
        await expect(em.nativeUpdate(Location, {}, { city: 'x' })).rejects.toThrow(CrossShardWriteError);
        await expect(em.nativeDelete(Report, {})).rejects.toThrow(CrossShardWriteError);
        const rows = [
          { id: 11, continent: 'asia' },
          { id: 12, continent: 'europe' },
        ];
        await expect(em.insertMany(Location, rows)).rejects.toThrow(CrossShardWriteError);
      });
      expect(statements).toEqual({});
      expect(await em.nativeUpdate(Location, { continent: 'asia' }, { city: 'x' })).toBe(1);
    });

    it('refuses to update the shard key', async () => {
      const em = suite.create({ mode: 'multi' });
      const moving = em.nativeUpdate(Location, { id: 1 }, { continent: 'asia' });
      await expect(moving).rejects.toThrow(ShardKeyChangedError);
    });

    it('undoes an update on every shard when one of them fails', async () => {
      const em = suite.create({ mode: 'multi' });
      const connection = suite.registry.get(suite.at('south_america')).driver.getConnection('write');
      const execute = connection.execute;
      connection.execute = () => Promise.reject(new Error('this shard fails'));
      await expect(em.nativeUpdate(Location, {}, { city: 'half' })).rejects.toThrow('this shard fails');
      connection.execute = execute;
      expect(await suite.create().count(Location, { city: 'half' })).toBe(0);
    });

    it('inserts rows by their keys in one statement per shard, and gives their primary keys in order', async () => {
      const em = suite.create({ mode: 'multi' });
      const continents = ['europe', 'asia'];
      const rows = Array.from({ length: 50 }, (_, index) => ({
        id: 100 + index,
        continent: continents[index % 2] as string,
      }));
      const statements = await suite.statementsOf(async () => {
        expect(await em.insertMany(Location, rows)).toEqual(rows.map(({ id }) => id));
      });
      expect(statements).toEqual(suite.sent({ asia: 1, europe: 1 }));
      expect(await em.count(Location, { continent: 'europe' })).toBe(26);
    });

    it('inserts nothing when one row names no shard', async () => {
      const em = suite.create({ mode: 'multi' });
      const rows = [{ id: 100, continent: 'asia' }, { id: 101 }];
      const statements = await suite.statementsOf(async () => {
        await expect(em.insertMany(Location, rows as never)).rejects.toThrow(ShardNotChosenError);
      });
      expect(statements).toEqual({});
    });

    itApart(suite, 2, 'inserts a row on the one shard that is pinned', async () => {
      const em = suite.create();
      const shard = suite.at('europe');
      await em.insertMany(Location, [{ id: 100, continent: 'asia' }], { shard });
      expect(await em.findOne(Location, 100, { shard })).not.toBeNull();
      expect(await em.findOne(Location, 100, { shard: suite.at('asia') })).toBeNull();
    });

    it('inserts many rows by the engine’s own bulk statement, each on its shard', async () => {
      const em = suite.create({ mode: 'multi' });
      const rows = Array.from({ length: 40 }, (_, index) => ({
        id: 200 + index,
        continent: CONTINENTS[index % 4] as string,
        city: `City ${index}`,
      }));
      expect(await em.bulkInsert(Location, rows)).toBe(40);
      for (const shard of suite.registry.ids) {
        const stored = await suite.registry.entityManager(shard).find(Location, { id: { $gte: 200 } });
        expect(stored).toHaveLength(10 * suite.continentsOn(shard).length);
        expect(new Set(stored.map(({ continent }) => continent))).toEqual(new Set(suite.continentsOn(shard)));
      }
    });

    const row = (id: number, continent?: string) => ({ id, continent }) as { id: number; continent: string };
    const rows = [row(300, 'asia'), row(301, 'europe')];

    it('inserts none of many rows when one shard refuses one, or one names no shard', async () => {
      // A fresh one each: after a rollback a unit of work wants to be cleared.
      const create = () => suite.create({ mode: 'multi' });
      await expect(create().bulkInsert(Location, [...rows, row(3, 'europe')])).rejects.toThrow(RowConstraintError);
      await expect(create().bulkInsert(Location, [...rows, row(302)])).rejects.toThrow(ShardNotChosenError);
      expect(await suite.create().count(Location, { id: { $gte: 300 } })).toBe(0);
    });

    itApart(suite, 2, 'inserts none of many rows of several shards in the mode "single"', async () => {
      await expect(suite.create().bulkInsert(Location, rows)).rejects.toThrow(CrossShardWriteError);
      expect(await suite.create().count(Location, { id: { $gte: 300 } })).toBe(0);
    });

    itApart(suite, 2, 'ends when every shard has, so that nothing is stored behind the rollback', async () => {
      const em = suite.create({ mode: 'multi' });
      const failed = Promise.withResolvers<void>();
      const [late, refusing] = [await em.on(suite.at('asia')), await em.on(suite.at('europe'))];
      const [begin, beginToFail] = [late.transactional.bind(late), refusing.transactional.bind(refusing)];
      refusing.transactional = (...args) => beginToFail(...args).finally(failed.resolve);
      late.transactional = async (...args) => {
        await failed.promise;
        // By now whoever does not wait has rolled back.
        for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
        return begin(...args);
      };
      await expect(em.bulkInsert(Location, [row(300, 'asia'), row(3, 'europe')])).rejects.toThrow(RowConstraintError);
      for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
      expect(await suite.create().count(Location, { id: 300 })).toBe(0);
    });

    it('sends raw SQL to the pinned shard, a plain select to all, and refuses a raw write without a shard', async () => {
      const em = suite.create();
      const cities = await em.execute<{ city: string }[]>('select city from location where id > ?', [1]);
      expect(cities.map(({ city }) => city).toSorted()).toEqual(['London', 'Quito', 'Tokyo']);
      const sql = 'select continent from location order by id';
      const one = await em.execute<{ continent: string }[]>(sql, [], { shard: suite.at('asia') });
      expect(one.map(({ continent }) => continent)).toEqual(suite.continentsOn(suite.at('asia')));
      const statements = await suite.statementsOf(async () => {
        for (const sql of [
          'delete from report',
          ' update location set city = null',
          'with x as (select 1) delete from report',
        ]) {
          await expect(em.execute(sql)).rejects.toThrow(ShardNotChosenError);
        }
      });
      expect(statements).toEqual({});
      const result = await em.execute<{ affectedRows: number }>('delete from report', [], {
        shard: 'shard-1',
        method: 'run',
      });
      const deleted = suite.continentsOn('shard-1').length;
      expect(result.affectedRows).toBe(deleted);
      expect(await em.count(Report)).toBe(4 - deleted);
    });

    it('merges a detached object onto its own shard, writing only what differs', async () => {
      const loader = suite.create();
      const [key, shard] = [reportOf(suite, 'europe'), suite.at('europe')];
      const detached = (await loader.findOne(Report, key, { shard })) as Report;
      loader.clear();
      detached.temperature = '30.00';
      const em = suite.create();
      const load = await suite.statementsOf(async () => {
        const merged = await em.merge(detached);
        expect(merged).not.toBe(detached);
        expect(em.shardOf(merged)).toBe(shard);
        expect(await em.merge(merged)).toBe(merged);
      });
      expect(load).toEqual({ [shard]: 1 });
      expect(await suite.statementsOf(() => em.flush())).toEqual({ [shard]: 1 });
      expect(Number((await suite.create().findOne(Report, key, { shard }))?.temperature)).toBe(30);
    });

    it('merges an object that was never loaded onto the row found, or makes it a new one', async () => {
      const em = suite.create({ mode: 'multi' });
      const known = await em.merge(
        Object.assign(new Location(), { id: 4, continent: 'south_america', city: 'San Francisco de Quito' }),
      );
      expect(em.shardOf(known)).toBe(suite.at('south_america'));
      const made = await em.merge(Object.assign(new Location(), { id: 40, continent: 'asia', city: 'Seoul' }));
      expect(em.shardOf(made)).toBe(suite.at('asia'));
      await em.flush();
      const cities = await suite.create().find(Location, { id: { $in: [4, 40] } }, { orderBy: { id: 'asc' } });
      expect(cities.map(({ city }) => city)).toEqual(['San Francisco de Quito', 'Seoul']);
    });
  });
});
