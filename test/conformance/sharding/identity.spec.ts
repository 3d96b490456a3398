import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { EventArgs, EventSubscriber, FlushEventArgs } from '@mikro-orm/core';
import { wrap } from '@mikro-orm/core';
import {
  CONTINENTS,
  eachLayout,
  eachNumberOfShards,
  itApart,
  reportOf,
  type ShardSuite,
  seedWeather,
} from './layouts.js';
import { Location, Report, weatherModel } from './weather.model.js';

/** Hears of which shard each event is. */
class ShardEar implements EventSubscriber {
  readonly heard: string[] = [];
  isListening = true;

  onLoad({ em, entity }: EventArgs<object>): void {
    if (this.isListening) this.heard.push(`load ${entity.constructor.name} ${em.name}`);
  }

  onFlush({ em, uow }: FlushEventArgs): void {
    if (this.isListening && uow.getChangeSets().length > 0) this.heard.push(`flush ${em.name}`);
  }
}

describe('what is of a shard', () => {
  eachLayout((suite) => {
    const ear = new ShardEar();

    beforeEach(() => seedWeather(suite));
    afterEach(() => {
      ear.isListening = false;
    });

    it('tells its shard in the events of loading and flushing', async () => {
      ear.heard.length = 0;
      ear.isListening = true;
      for (const { orm } of suite.registry.all()) orm.em.getEventManager().registerSubscriber(ear);
      const em = suite.create();
      const tokyo = (await em.findOne(Location, 2)) as Location;
      await tokyo.reports.init();
      tokyo.city = 'Edo';
      await em.flush();
      const asia = suite.at('asia');
      expect(ear.heard).toEqual([`load Location ${asia}`, `load Report ${asia}`, `flush ${asia}`]);
    });

    it('is not remembered by a statement that is kept and sent again', async () => {
      for (const [index, continent] of CONTINENTS.entries()) {
        const shard = suite.at(continent);
        const em = suite.create({ shard });
        const report = (await em.findOne(Report, reportOf(suite, continent))) as Report;
        expect([em.shardOf(report), Number(report.temperature)]).toEqual([shard, index + 0.5]);
        expect(await em.count(Report, { temperature: { $lt: '100' } })).toBe(suite.continentsOn(shard).length);
      }
    });

    itApart(suite, 2, 'stays with a query builder that is made under one pin and run under another', async () => {
      const [asia, europe] = [suite.at('asia'), suite.at('europe')];
      const continents = (rows: readonly { continent: string }[]) => rows.map(({ continent }) => continent).toSorted();
      const em = suite.create();
      const query = (await em.on(asia)).createQueryBuilder(Location).select(['continent']);
      const pinned = suite.create({ shard: europe });
      expect(continents(await pinned.find(Location, {}))).toEqual(suite.continentsOn(europe).toSorted());
      expect(continents(await query.execute('all'))).toEqual(suite.continentsOn(asia).toSorted());
    });

    it('stays through waiting, timers and work side by side, and does not reach the next unit of work', async () => {
      const cities = await Promise.all(
        CONTINENTS.map(async (continent, index) => {
          const em = suite.create({ shard: suite.at(continent) });
          const [location] = await em.find(Location, { id: index + 1 });
          await new Promise((resolve) => setTimeout(resolve, 8 - index * 2));
          const [report] = await (location as Location).reports.loadItems();
          await new Promise((resolve) => setImmediate(resolve));
          return [em.shardOf(report as Report), await em.count(Location), location?.city];
        }),
      );
      const names = ['New York', 'Tokyo', 'London', 'Quito'];
      const shards = CONTINENTS.map((continent) => suite.at(continent));
      expect(cities).toEqual(shards.map((id, index) => [id, suite.continentsOn(id).length, names[index]]));
      expect(await suite.create().count(Location)).toBe(4);
    });

    it('is asked once where relations are loaded by a join, and for what was left out at first', async () => {
      const em = suite.create();
      const joined = await suite.statementsOf(async () => {
        const where = { location: { continent: 'europe' } };
        const [report] = await em.find(Report, where, { populate: ['location'], strategy: 'joined' });
        expect(report?.location.getEntity().city).toBe('London');
      });
      expect(joined).toEqual(suite.sent({ europe: 1 }));
      const fresh = suite.create();
      const fields = await suite.statementsOf(async () => {
        const partly = await fresh.findOne(Location, { continent: 'europe' }, { fields: ['id', 'continent'] });
        expect(partly?.id).toBe(3);
        await wrap(partly as Location).populate(['notes'] as never);
      });
      expect(fields).toEqual(suite.sent({ europe: 2 }));
    });

    itApart(suite, 2, 'is left by a miss on one shard: others are asked as before', async () => {
      const em = suite.create();
      expect(await em.findOne(Location, 3, { shard: suite.at('asia') })).toBeNull();
      expect((await em.findOne(Location, 3))?.city).toBe('London');
      const loosely = { shard: { id: suite.at('europe'), propagate: false } };
      expect((await em.findOne(Location, 3, loosely))?.city).toBe('London');
    });
  });
});

describe('a unit of work', () => {
  const cases = (suite: ShardSuite) => {
    it('stores, finds, changes and removes alike, each row on its shard', async () => {
      const em = suite.create({ mode: 'multi' });
      for (let id = 1; id <= 32; id++) {
        const continent = CONTINENTS[id % 4] as string;
        const location = em.create(Location, { id, continent, city: `City ${id % 5}` });
        em.create(Report, { id, location, temperature: `${id}.25` });
      }
      const shards = Math.min(suite.registry.ids.length, 4);
      expect(Object.values(await suite.statementsOf(() => em.flush()))).toEqual(Array(shards).fill(2));
      const fresh = suite.create({ mode: 'multi' });
      const page = await fresh.find(Location, {}, { orderBy: { city: 'asc', id: 'desc' }, limit: 3, offset: 2 });
      expect(page.map(({ id }) => id)).toEqual([20, 15, 10]);
      expect((await fresh.findOne(Location, 17))?.city).toBe('City 2');
      expect(await fresh.aggregate(Report, { select: { sum: { sum: 'temperature' } } })).toEqual([{ sum: '536.00' }]);
      expect(await fresh.nativeUpdate(Location, { city: 'City 0' }, { city: 'moved' })).toBe(6);
      expect(page[0]?.city).toBe('moved');
      for (const report of await fresh.find(Report, { id: { $gt: 30 } })) fresh.remove(report);
      await fresh.flush();
      const ids: number[] = [];
      let after: string | null = null;
      do {
        const found: { items: Report[]; cursor: string | null } = await fresh.findByCursor(Report, { first: 9, after });
        ids.push(...found.items.map(({ id }) => id));
        after = found.cursor;
      } while (after);
      expect(ids).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    });
  };

  eachNumberOfShards(cases, weatherModel, [1, 2, 4, 16]);
});
