import { beforeEach, describe, expect } from '@jest/globals';
import { wrap } from '@mikro-orm/core';
import { AmbiguousIdentityError } from '#libs/sharding';
import { eachLayout, itApart, seedWeather } from './layouts.js';
import { Location, Quantity, Report } from './weather.model.js';

describe('a pin that does not propagate', () => {
  eachLayout((suite) => {
    /** Pins a call, and nothing that is loaded later. */
    const loosely = () => ({ shard: { id: suite.at('asia'), propagate: false } });
    const inTokyo = { city: 'Tokyo' };

    beforeEach(async () => {
      await seedWeather(suite);
      const em = suite.create({ mode: 'multi' });
      await em.bulkInsert(Quantity, [{ id: 'temperature', unit: 'degree' }], { mode: 'multi' });
      // A copy of the station on another shard, where it has a report of its own: what moving rows by hand leaves.
      const copy = { id: 2, continent: 'asia', city: 'Tokyo, copied' };
      await suite.registry.entityManager(suite.at('europe')).insert(Location, copy);
      await suite.registry
        .entityManager(suite.at('europe'))
        .insert(Report, { id: 7, location: 2, temperature: '77.00' });
      await suite.registry.entityManager(suite.at('asia')).nativeUpdate(Report, { id: 1 }, { quantity: 'temperature' });
    });

    itApart(suite, 2, 'holds for the call and the relations it loads itself', async () => {
      const em = suite.create();
      const statements = await suite.statementsOf(async () => {
        const [tokyo] = await em.find(Location, inTokyo, {
          ...loosely(),
          populate: ['reports'],
          strategy: 'select-in',
        });
        expect(tokyo?.reports.getItems().map(({ id }) => id)).toEqual([1]);
      });
      expect(statements).toEqual(suite.sent({ asia: 2 }));
    });

    itApart(
      suite,
      2,
      'leaves a collection that is loaded later to the choosers, where another pin keeps it',
      async () => {
        const em = suite.create();
        const [tokyo] = await em.find(Location, inTokyo, loosely());
        const statements = await suite.statementsOf(async () => {
          const reports = await (tokyo as Location).reports.loadItems();
          expect(new Map(reports.map((report) => [report.id, em.shardOf(report)]))).toEqual(
            new Map([
              [1, suite.at('asia')],
              [7, suite.at('europe')],
            ]),
          );
        });
        expect(statements).toEqual(suite.sentToEach());
        const pinned = suite.create();
        const firmly = { shard: { id: suite.at('asia'), propagate: true } };
        const [same] = await pinned.find(Location, inTokyo, firmly);
        const init = () => (same as Location).reports.init();
        expect(await suite.statementsOf(init)).toEqual(suite.sent({ asia: 1 }));
        expect(same?.reports).toHaveLength(1);
      },
    );

    itApart(suite, 2, 'asks the shards that the choosers name, and no others', async () => {
      const europe = suite.at('europe');
      const em = suite.create({ executeChooser: ({ meta }) => (meta?.className === 'Report' ? [europe] : []) });
      const [tokyo] = await em.find(Location, inTokyo, loosely());
      const statements = await suite.statementsOf(() => wrap(tokyo as Location).populate(['reports']));
      expect(statements).toEqual({ [europe]: 1 });
      expect(tokyo?.reports.getItems().map(({ id }) => id)).toEqual([7]);
    });

    itApart(suite, 4, 'leaves a reference that is loaded later to the identity chooser', async () => {
      const load = async (holders: string[]) => {
        const em = suite.create({ identityChooser: () => holders });
        const report = (await em.findOne(Report, { id: 1 }, loosely())) as Report;
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

    itApart(suite, 2, 'holds for deferred properties, refreshing, and what every shard has a copy of', async () => {
      const once = suite.sent({ asia: 1 });
      const em = suite.create();
      const [tokyo] = await em.find(Location, inTokyo, loosely());
      expect(await suite.statementsOf(() => wrap(tokyo as Location).populate(['notes'] as never))).toEqual(once);
      expect(await suite.statementsOf(() => em.refresh(tokyo as Location))).toEqual(once);
      const report = (await em.findOne(Report, { id: 1 }, loosely())) as Report;
      expect(await suite.statementsOf(() => wrap(report.quantity as Quantity).init())).toEqual(once);
      expect(report.quantity?.unit).toBe('degree');
    });

    itApart(suite, 2, 'concerns the objects of its call alone', async () => {
      const em = suite.create();
      await em.find(Location, inTokyo, loosely());
      const [london] = await em.find(Location, { id: 3 }, { shard: suite.at('europe') });
      const init = () => (london as Location).reports.init();
      expect(await suite.statementsOf(init)).toEqual(suite.sent({ europe: 1 }));
    });

    itApart(suite, 2, 'lets nothing be written to the wrong shard through a collection of several', async () => {
      const em = suite.create({ mode: 'multi' });
      const [tokyo] = await em.find(Location, inTokyo, loosely());
      const [own, lent] = (await (tokyo as Location).reports.loadItems()).toSorted((one, other) => one.id - other.id);
      expect(await suite.statementsOf(() => em.flush())).toEqual({});
      (tokyo as Location).city = 'Edo';
      (own as Report).temperature = '5.00';
      em.persist(tokyo as Location);
      expect(await suite.statementsOf(() => em.flush())).toEqual(suite.sent({ asia: 2 }));
      expect(em.shardOf(lent as Report)).toBe(suite.at('europe'));
      (lent as Report).temperature = '78.00';
      expect(await suite.statementsOf(() => em.flush())).toEqual(suite.sent({ europe: 1 }));
      const [copy] = await suite.registry.entityManager(suite.at('europe')).find(Report, { id: 7 });
      expect([Number(copy?.temperature), copy?.location.id]).toEqual([78, 2]);
      expect(await suite.registry.entityManager(suite.at('asia')).count(Report, { id: 7 })).toBe(0);
    });
  });
});
