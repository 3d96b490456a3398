import { beforeEach, describe, expect, it } from '@jest/globals';
import { wrap } from '@mikro-orm/core';
import { AmbiguousIdentityError, ChooserFailedError, ShardNotChosenError, UnknownShardError } from '#libs/sharding';
import { CONTINENTS, eachLayout, itApart, reportOf, seedWeather } from './layouts.js';
import { Location, Orphan, Report } from './weather.model.js';

describe('routing', () => {
  eachLayout((suite) => {
    beforeEach(() => seedWeather(suite));

    it('stores every row on the shard of its key, and what follows it beside it', async () => {
      for (const id of suite.registry.ids) {
        const em = suite.registry.entityManager(id);
        const locations = await em.find(Location, {}, { populate: ['reports'], orderBy: { id: 'asc' } });
        expect(locations.map(({ continent }) => continent)).toEqual(suite.continentsOn(id));
        for (const { id: index, reports } of locations) {
          expect(reports.getItems().map(({ temperature }) => Number(temperature))).toEqual([index - 0.5]);
        }
      }
    });

    it('finds by shard key on one shard, by anything else on all', async () => {
      const em = suite.create();
      expect(await suite.statementsOf(() => em.find(Location, { continent: 'asia' }))).toEqual(suite.sent({ asia: 1 }));
      const two = { continent: { $in: ['asia', 'europe'] } };
      expect(await suite.statementsOf(() => em.find(Location, two))).toEqual(suite.sent({ asia: 1, europe: 1 }));
      const or = { $or: [{ continent: 'asia', id: 2 }, { continent: 'europe' }] };
      expect(em.explainRoute(Location, or)).toEqual({ shards: suite.shardsOf('asia', 'europe'), by: 'query' });
      const byCity = await suite.statementsOf(async () => {
        expect(await em.find(Location, { city: 'Tokyo' })).toHaveLength(1);
      });
      expect(byCity).toEqual(suite.sentToEach());
    });

    it('finds what follows on the shard of what it follows', async () => {
      const em = suite.create();
      const tokyo = await em.findOne(Location, { continent: 'asia' });
      expect(em.explainRoute(Report, { location: tokyo })).toEqual({ shards: [suite.at('asia')], by: 'query' });
      expect(em.explainRoute(Report, { location: { continent: 'europe' } }).shards).toEqual([suite.at('europe')]);
      expect(em.explainRoute(Report, { location: { city: 'Tokyo' } }).shards).toEqual(suite.registry.ids);
    });

    it('asks nothing for a key that has no place', async () => {
      const em = suite.create();
      const statements = await suite.statementsOf(async () => {
        expect(await em.find(Location, { continent: 'atlantis' })).toEqual([]);
        expect(await em.count(Location, { continent: 'atlantis' })).toBe(0);
        expect(await em.findOne(Location, { continent: 'atlantis' })).toBeNull();
      });
      expect(statements).toEqual({});
    });

    it('finds by primary key across shards, and the second time without asking', async () => {
      const em = suite.create();
      const found = await em.findOne(Location, 3);
      expect(found?.city).toBe('London');
      const statements = await suite.statementsOf(async () => {
        expect(await em.findOne(Location, 3)).toBe(found);
        expect(await em.findOne(Location, { id: 3 })).toBe(found);
      });
      expect(statements).toEqual({});
      expect(await em.findOne(Location, 99)).toBeNull();
    });

    it('asks for a loaded object again when the call wants more than it, or it is to be removed', async () => {
      const em = suite.create();
      const found = await em.findOne(Location, 3);
      await suite.registry.entityManager(suite.at('europe')).execute("update location set city = 'Paris' where id = 3");
      expect((await em.findOne(Location, 3))?.city).toBe('London');
      expect(await em.findOne(Location, 3, { refresh: true })).toBe(found);
      expect(found?.city).toBe('Paris');
      const statements = await suite.statementsOf(async () => {
        const again = await em.findOne(Location, 3, { populate: ['reports'] });
        expect(again?.reports.isInitialized()).toBe(true);
      });
      expect(statements).toEqual(suite.sent({ europe: 2 }));
      for (const report of found?.reports.getItems() ?? []) em.remove(report);
      em.remove(found as Location);
      expect(await em.findOne(Location, 3)).toBeNull();
    });

    it('narrows the SQL by the identity chooser', async () => {
      const london = suite.at('europe');
      const em = suite.create({ identityChooser: () => [london, london, suite.at('south_america')] });
      const statements = await suite.statementsOf(async () => {
        expect((await em.findOne(Location, 3))?.city).toBe('London');
      });
      expect(statements).toEqual(suite.sent({ europe: 1, south_america: 1 }));
    });

    itApart(
      suite,
      2,
      'keeps one primary key on two shards as two objects, and reports both without a pin',
      async () => {
        const holders = suite.shardsOf(...CONTINENTS);
        const em = suite.create();
        const reports = await em.find(Report, { id: 1 });
        expect(reports.map((report) => em.shardOf(report))).toEqual(holders);
        const fresh = suite.create();
        await expect(fresh.findOne(Report, 1)).rejects.toThrow(AmbiguousIdentityError);
        await expect(fresh.findOne(Report, 1)).rejects.toMatchObject({ shardIds: holders });
        const shard = suite.at('south_america');
        const pinned = await fresh.findOne(Report, reportOf(suite, 'south_america'), { shard });
        expect(Number(pinned?.temperature)).toBe(3.5);
        expect(await fresh.findOne(Location, 1, { shard })).toBeNull();
      },
    );

    it('follows a pin on one call, and on a whole unit of work', async () => {
      const em = suite.create();
      const [asia, europe] = [suite.at('asia'), suite.at('europe')];
      const call = await suite.statementsOf(() => em.find(Location, {}, { shard: { id: asia, propagate: true } }));
      expect(call).toEqual({ [asia]: 1 });
      const pinned = suite.create({ shard: europe });
      const found = await pinned.find(Location, {}, { orderBy: { id: 'asc' } });
      expect(found.map(({ continent }) => continent)).toEqual(suite.continentsOn(europe));
      expect(pinned.explainRoute(Location, { continent: 'asia' })).toEqual({ shards: [europe], by: 'unit-of-work' });
      expect(pinned.explainRoute(Location, {}, { shard: 'shard-1' })).toEqual({ shards: ['shard-1'], by: 'pin' });
    });

    it('loads relations, collections and deferred properties from the shard of their owner', async () => {
      const em = suite.create();
      const both = { continent: { $in: ['asia', 'europe'] } };
      const [first, second] = await em.find(Location, both, { orderBy: { id: 'asc' } });
      // Two owners read in turn, the later one first.
      const init = (location = second) => suite.statementsOf(() => location?.reports.init() as Promise<unknown>);
      expect(await init(second)).toEqual(suite.sent({ europe: 1 }));
      expect(await init(first)).toEqual(suite.sent({ asia: 1 }));
      const report = await em.findOne(Report, { location: { continent: 'south_america' } });
      const load = () => suite.statementsOf(() => report?.location.load() as Promise<unknown>);
      expect(await load()).toEqual(suite.sent({ south_america: 1 }));
      expect(await load()).toEqual({});
      expect(report?.location.getEntity().city).toBe('Quito');
      const notes = await suite.statementsOf(() => wrap(first as Location).populate(['notes'] as never));
      expect(notes).toEqual(suite.sent({ asia: 1 }));
    });

    it('populates on every shard with that shard’s own rows', async () => {
      const em = suite.create();
      const statements = await suite.statementsOf(async () => {
        const locations = await em.find(
          Location,
          {},
          { populate: ['reports'], strategy: 'select-in', orderBy: { id: 'asc' } },
        );
        expect(locations.map(({ reports }) => Number(reports[0]?.temperature))).toEqual([0.5, 1.5, 2.5, 3.5]);
      });
      const withRows = suite.sent({ north_america: 2, asia: 2, europe: 2, south_america: 2 });
      expect(statements).toEqual({ ...suite.sentToEach(), ...withRows });
    });

    it('refreshes from the owner’s shard, whatever the choosers say by then', async () => {
      const em = suite.create();
      const london = (await em.findOne(Location, 3)) as Location;
      await suite.registry.entityManager(suite.at('europe')).nativeUpdate(Location, 3, { city: 'Londinium' });
      const statements = await suite.statementsOf(() => em.refresh(london));
      expect(statements).toEqual(suite.sent({ europe: 1 }));
      expect(london.city).toBe('Londinium');
    });

    it('asks the shard chooser once per new object, cascaded ones included', async () => {
      const asked: string[] = [];
      const em = suite.create({
        mode: 'multi',
        shardChooser: (entity) => {
          asked.push(entity.constructor.name);
          return suite.at('asia');
        },
      });
      const location = em.create(Location, { id: 50, continent: 'asia' });
      const report = Object.assign(new Report(), { id: 50 });
      location.reports.add(report);
      await em.flush();
      location.city = 'Osaka';
      report.temperature = '7.00';
      await em.flush();
      expect(asked).toEqual(['Location', 'Report']);
      expect([em.shardOf(location), em.shardOf(report)]).toEqual([suite.at('asia'), suite.at('asia')]);
    });

    it('refuses an unknown shard wherever it comes from, before any SQL', async () => {
      const bad = suite.create({
        shardChooser: () => 'nope',
        identityChooser: () => ['nope'],
        executeChooser: () => ['nope'],
      });
      const statements = await suite.statementsOf(async () => {
        expect(() => bad.create(Location, { id: 9, continent: 'asia' })).toThrow(UnknownShardError);
        await expect(bad.findOne(Location, 1)).rejects.toThrow(UnknownShardError);
        await expect(bad.find(Location, {})).rejects.toThrow(UnknownShardError);
        await expect(suite.create().find(Location, {}, { shard: 'nope' })).rejects.toThrow(UnknownShardError);
        expect(() => suite.create({ shard: 'nope' })).toThrow(UnknownShardError);
      });
      expect(statements).toEqual({});
    });

    it('names the chooser that throws or answers with nonsense, before any SQL', async () => {
      const broken = (nonsense: unknown) =>
        suite.create({
          shardChooser: () => nonsense as string,
          identityChooser: () => nonsense as string[],
          executeChooser: () => nonsense as string[],
        });
      const statements = await suite.statementsOf(async () => {
        for (const nonsense of [7, {}, Promise.resolve('shard-1'), ['shard-1', 7]]) {
          const em = broken(nonsense);
          expect(() => em.create(Location, { id: 9, continent: 'asia' })).toThrow(ChooserFailedError);
          await expect(em.findOne(Location, 1)).rejects.toMatchObject({ chooser: 'identityChooser' });
          await expect(em.find(Location, {})).rejects.toMatchObject({ chooser: 'executeChooser' });
        }
        // Not a list of letters.
        await expect(broken('shard-1').find(Location, {})).rejects.toThrow(ChooserFailedError);
        const cause = new TypeError('no such table');
        const throwing = suite.create({
          executeChooser: () => {
            throw cause;
          },
        });
        await expect(throwing.count(Location)).rejects.toMatchObject({ code: 'chooser_failed', cause });
      });
      expect(statements).toEqual({});
    });

    it('refuses to store what names no shard', async () => {
      const em = suite.create();
      expect(() => em.create(Orphan, { id: 1 })).toThrow(/declares no shard key/);
      expect(() => em.create(Location, { id: 1 } as never)).toThrow(ShardNotChosenError);
      expect(() => em.create(Location, { id: 1, continent: 'atlantis' })).toThrow(ShardNotChosenError);
      expect(() => em.create(Report, { location: 4711 })).toThrow(/load it first/);
      em.create(Orphan, { id: 1 }, { shard: suite.at('asia') });
      await em.flush();
      expect(await suite.registry.entityManager(suite.at('asia')).count(Orphan)).toBe(1);
    });

    it('asks a shard named twice once, and an empty list not at all', async () => {
      const asia = suite.at('asia');
      const twice = suite.create({ executeChooser: () => [asia, asia] });
      expect(await twice.find(Location, {})).toHaveLength(suite.continentsOn(asia).length);
      const none = suite.create({ executeChooser: () => [] });
      expect(await none.find(Location, {})).toEqual([]);
    });
  });
});
