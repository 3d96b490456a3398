import { beforeEach, describe, expect, it } from '@jest/globals';
import { wrap } from '@mikro-orm/core';
import { AmbiguousIdentityError, ChooserFailedError, ShardNotChosenError, UnknownShardError } from '#libs/sharding';
import { eachLayout, seedWeather } from './layouts.js';
import { Location, Orphan, Report } from './weather.model.js';

describe('routing', () => {
  eachLayout((suite) => {
    beforeEach(() => seedWeather(suite));

    it('stores every row on the shard of its key, and what follows it beside it', async () => {
      for (const [index, id] of suite.registry.ids.entries()) {
        const em = suite.registry.entityManager(id);
        const locations = await em.find(Location, {}, { populate: ['reports'] });
        expect(locations.map((location) => location.id)).toEqual([index + 1]);
        expect(locations[0]?.reports.getItems().map((report) => report.id)).toEqual([1]);
      }
    });

    it('finds by shard key on one shard, by anything else on all', async () => {
      const em = suite.create();
      expect(await suite.statementsOf(() => em.find(Location, { continent: 'asia' }))).toEqual({ 'shard-2': 1 });
      const two = { continent: { $in: ['asia', 'europe'] } };
      expect(await suite.statementsOf(() => em.find(Location, two))).toEqual({ 'shard-2': 1, 'shard-3': 1 });
      const or = { $or: [{ continent: 'asia', id: 2 }, { continent: 'europe' }] };
      expect(em.explainRoute(Location, or)).toEqual({ shards: ['shard-2', 'shard-3'], by: 'query' });
      const byCity = await suite.statementsOf(async () => {
        expect(await em.find(Location, { city: 'Tokyo' })).toHaveLength(1);
      });
      expect(byCity).toEqual({ 'shard-1': 1, 'shard-2': 1, 'shard-3': 1, 'shard-4': 1 });
    });

    it('finds what follows on the shard of what it follows', async () => {
      const em = suite.create();
      const tokyo = await em.findOne(Location, { continent: 'asia' });
      expect(em.explainRoute(Report, { location: tokyo })).toEqual({ shards: ['shard-2'], by: 'query' });
      expect(em.explainRoute(Report, { location: { continent: 'europe' } }).shards).toEqual(['shard-3']);
      expect(em.explainRoute(Report, { location: { city: 'Tokyo' } }).shards).toHaveLength(4);
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
      await suite.registry.entityManager('shard-3').execute("update location set city = 'Paris' where id = 3");
      expect((await em.findOne(Location, 3))?.city).toBe('London');
      expect(await em.findOne(Location, 3, { refresh: true })).toBe(found);
      expect(found?.city).toBe('Paris');
      const statements = await suite.statementsOf(async () => {
        const again = await em.findOne(Location, 3, { populate: ['reports'] });
        expect(again?.reports.isInitialized()).toBe(true);
      });
      expect(statements).toEqual({ 'shard-3': 2 });
      for (const report of found?.reports.getItems() ?? []) em.remove(report);
      em.remove(found as Location);
      expect(await em.findOne(Location, 3)).toBeNull();
    });

    it('narrows the SQL by the identity chooser', async () => {
      const em = suite.create({ identityChooser: () => ['shard-3', 'shard-3', 'shard-4'] });
      const statements = await suite.statementsOf(async () => {
        expect((await em.findOne(Location, 3))?.city).toBe('London');
      });
      expect(statements).toEqual({ 'shard-3': 1, 'shard-4': 1 });
    });

    it('keeps one primary key on two shards as two objects, and reports both without a pin', async () => {
      const em = suite.create();
      const reports = await em.find(Report, { id: 1 });
      expect(reports).toHaveLength(4);
      expect(new Set(reports.map((report) => em.shardOf(report))).size).toBe(4);
      const fresh = suite.create();
      await expect(fresh.findOne(Report, 1)).rejects.toThrow(AmbiguousIdentityError);
      await expect(fresh.findOne(Report, 1)).rejects.toMatchObject({ shardIds: suite.registry.ids });
      const pinned = await fresh.findOne(Report, 1, { shard: 'shard-4' });
      expect(Number(pinned?.temperature)).toBe(3.5);
      expect(await fresh.findOne(Location, 1, { shard: 'shard-4' })).toBeNull();
    });

    it('follows a pin on one call, and on a whole unit of work', async () => {
      const em = suite.create();
      const call = await suite.statementsOf(() => em.find(Location, {}, { shard: { id: 'shard-2', propagate: true } }));
      expect(call).toEqual({ 'shard-2': 1 });
      const pinned = suite.create({ shard: 'shard-3' });
      expect((await pinned.find(Location, {})).map(({ city }) => city)).toEqual(['London']);
      expect(pinned.explainRoute(Location, { continent: 'asia' })).toEqual({ shards: ['shard-3'], by: 'unit-of-work' });
      expect(pinned.explainRoute(Location, {}, { shard: 'shard-1' })).toEqual({ shards: ['shard-1'], by: 'pin' });
    });

    it('loads relations, collections and deferred properties from the shard of their owner', async () => {
      const em = suite.create();
      const [first, second] = await em.find(Location, { continent: { $in: ['asia', 'europe'] } });
      // Two owners read in turn, the later one first.
      expect(await suite.statementsOf(() => second?.reports.init() as Promise<unknown>)).toEqual({ 'shard-3': 1 });
      expect(await suite.statementsOf(() => first?.reports.init() as Promise<unknown>)).toEqual({ 'shard-2': 1 });
      const report = await em.findOne(Report, { location: { continent: 'south_america' } });
      expect(await suite.statementsOf(() => report?.location.load() as Promise<unknown>)).toEqual({ 'shard-4': 1 });
      expect(await suite.statementsOf(() => report?.location.load() as Promise<unknown>)).toEqual({});
      expect(report?.location.getEntity().city).toBe('Quito');
      const notes = await suite.statementsOf(() => wrap(first as Location).populate(['notes'] as never));
      expect(notes).toEqual({ 'shard-2': 1 });
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
      expect(statements).toEqual({ 'shard-1': 2, 'shard-2': 2, 'shard-3': 2, 'shard-4': 2 });
    });

    it('refreshes from the owner’s shard, whatever the choosers say by then', async () => {
      const em = suite.create();
      const london = (await em.findOne(Location, 3)) as Location;
      await suite.registry.entityManager('shard-3').nativeUpdate(Location, 3, { city: 'Londinium' });
      const statements = await suite.statementsOf(() => em.refresh(london));
      expect(statements).toEqual({ 'shard-3': 1 });
      expect(london.city).toBe('Londinium');
    });

    it('asks the shard chooser once per new object, cascaded ones included', async () => {
      const asked: string[] = [];
      const em = suite.create({
        mode: 'multi',
        shardChooser: (entity) => {
          asked.push(entity.constructor.name);
          return 'shard-2';
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
      expect([em.shardOf(location), em.shardOf(report)]).toEqual(['shard-2', 'shard-2']);
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
      em.create(Orphan, { id: 1 }, { shard: 'shard-2' });
      await em.flush();
      expect(await suite.registry.entityManager('shard-2').count(Orphan)).toBe(1);
    });

    it('asks a shard named twice once, and an empty list not at all', async () => {
      const twice = suite.create({ executeChooser: () => ['shard-2', 'shard-2'] });
      expect(await twice.find(Location, {})).toHaveLength(1);
      const none = suite.create({ executeChooser: () => [] });
      expect(await none.find(Location, {})).toEqual([]);
    });
  });
});
