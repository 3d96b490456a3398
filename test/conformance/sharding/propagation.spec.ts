import { beforeEach, describe, expect, it } from '@jest/globals';
import { wrap } from '@mikro-orm/core';
import { AmbiguousIdentityError } from '#libs/sharding';
import { eachLayout, seedWeather } from './layouts.js';
import { Location, Quantity, Report } from './weather.model.js';

const ALL = { 'shard-1': 1, 'shard-2': 1, 'shard-3': 1, 'shard-4': 1 };
/** A pin of one call, and of nothing that is loaded later. */
const loosely = { shard: { id: 'shard-2', propagate: false } } as const;
const firmly = { shard: { id: 'shard-2', propagate: true } } as const;

describe('a pin that does not propagate', () => {
  eachLayout((suite) => {
    beforeEach(async () => {
      await seedWeather(suite);
      const em = suite.create({ mode: 'multi' });
      await em.bulkInsert(Quantity, [{ id: 'temperature', unit: 'degree' }], { mode: 'multi' });
      // A copy of the station on another shard, where it has a report of its own: what moving rows by hand leaves.
      const copy = { id: 2, continent: 'asia', city: 'Tokyo, copied' };
      await suite.registry.entityManager('shard-3').insert(Location, copy);
      await suite.registry.entityManager('shard-3').insert(Report, { id: 7, location: 2, temperature: '77.00' });
      await suite.registry.entityManager('shard-2').nativeUpdate(Report, { id: 1 }, { quantity: 'temperature' });
    });

    it('holds for the call and the relations it loads itself', async () => {
      const em = suite.create();
      const statements = await suite.statementsOf(async () => {
        const [tokyo] = await em.find(Location, {}, { ...loosely, populate: ['reports'], strategy: 'select-in' });
        expect(tokyo?.reports.getItems().map(({ id }) => id)).toEqual([1]);
      });
      expect(statements).toEqual({ 'shard-2': 2 });
    });

    it('leaves a collection that is loaded later to the choosers, where another pin keeps it', async () => {
      const em = suite.create();
      const [tokyo] = await em.find(Location, {}, loosely);
      const statements = await suite.statementsOf(async () => {
        const reports = await (tokyo as Location).reports.loadItems();
        expect(reports.map((report) => [em.shardOf(report), report.id])).toEqual([
          ['shard-2', 1],
          ['shard-3', 7],
        ]);
      });
      expect(statements).toEqual(ALL);
      const pinned = suite.create();
      const [same] = await pinned.find(Location, {}, firmly);
      expect(await suite.statementsOf(() => (same as Location).reports.init())).toEqual({ 'shard-2': 1 });
      expect(same?.reports).toHaveLength(1);
    });

    it('asks the shards that the choosers name, and no others', async () => {
      const em = suite.create({ executeChooser: ({ meta }) => (meta?.className === 'Report' ? ['shard-3'] : []) });
      const [tokyo] = await em.find(Location, {}, loosely);
      const statements = await suite.statementsOf(() => wrap(tokyo as Location).populate(['reports']));
      expect(statements).toEqual({ 'shard-3': 1 });
      expect(tokyo?.reports.getItems().map(({ id }) => id)).toEqual([7]);
    });

    it('leaves a reference that is loaded later to the identity chooser', async () => {
      const load = async (holders: string[]) => {
        const em = suite.create({ identityChooser: () => holders });
        const report = (await em.findOne(Report, { id: 1 }, loosely)) as Report;
        let loaded: Location | null = null;
        const statements = await suite.statementsOf(async () => {
          loaded = await report.location.load();
        });
        return { city: (loaded as Location | null)?.city, statements, report };
      };
      expect(await load(['shard-2'])).toMatchObject({ city: 'Tokyo', statements: { 'shard-2': 1 } });
      const elsewhere = await load(['shard-1', 'shard-3']);
      expect(elsewhere).toMatchObject({ city: 'Tokyo, copied', statements: { 'shard-1': 1, 'shard-3': 1 } });
      // The relation itself stays with its shard.
      expect(elsewhere.report.location.isInitialized()).toBe(false);
      expect(await load(['shard-4'])).toMatchObject({ city: undefined, statements: { 'shard-4': 1 } });
      await expect(load(['shard-2', 'shard-3'])).rejects.toThrow(AmbiguousIdentityError);
    });

    it('holds for deferred properties, refreshing, and what every shard has a copy of', async () => {
      const em = suite.create();
      const [tokyo] = await em.find(Location, {}, loosely);
      expect(await suite.statementsOf(() => wrap(tokyo as Location).populate(['notes'] as never))).toEqual({
        'shard-2': 1,
      });
      expect(await suite.statementsOf(() => em.refresh(tokyo as Location))).toEqual({ 'shard-2': 1 });
      const report = (await em.findOne(Report, { id: 1 }, loosely)) as Report;
      expect(await suite.statementsOf(() => wrap(report.quantity as Quantity).init())).toEqual({ 'shard-2': 1 });
      expect(report.quantity?.unit).toBe('degree');
    });

    it('concerns the objects of its call alone', async () => {
      const em = suite.create();
      await em.find(Location, {}, loosely);
      const [london] = await em.find(Location, { id: 3 }, { shard: 'shard-3' });
      expect(await suite.statementsOf(() => (london as Location).reports.init())).toEqual({ 'shard-3': 1 });
    });

    it('lets nothing be written to the wrong shard through a collection of several', async () => {
      const em = suite.create({ mode: 'multi' });
      const [tokyo] = await em.find(Location, {}, loosely);
      const [own, lent] = await (tokyo as Location).reports.loadItems();
      expect(await suite.statementsOf(() => em.flush())).toEqual({});
      (tokyo as Location).city = 'Edo';
      (own as Report).temperature = '5.00';
      em.persist(tokyo as Location);
      expect(await suite.statementsOf(() => em.flush())).toEqual({ 'shard-2': 2 });
      expect(em.shardOf(lent as Report)).toBe('shard-3');
      (lent as Report).temperature = '78.00';
      expect(await suite.statementsOf(() => em.flush())).toEqual({ 'shard-3': 1 });
      const [copy] = await suite.registry.entityManager('shard-3').find(Report, { id: 7 });
      expect([Number(copy?.temperature), copy?.location.id]).toEqual([78, 2]);
      expect(await suite.registry.entityManager('shard-2').count(Report, { id: 7 })).toBe(0);
    });
  });
});
