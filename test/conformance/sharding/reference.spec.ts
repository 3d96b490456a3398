import { beforeEach, describe, expect, it } from '@jest/globals';
import { CrossShardWriteError, ReferenceEntityError } from '#libs/sharding';
import { eachLayout, itApart, seedWeather } from './layouts.js';
import { Location, Quantity, Report } from './weather.model.js';

describe('reference entities', () => {
  eachLayout((suite) => {
    const quantities = [
      { id: 'temperature', unit: '°C' },
      { id: 'pressure', unit: 'hPa' },
    ];

    beforeEach(async () => {
      await seedWeather(suite);
      await suite.create({ mode: 'multi' }).insertMany(Quantity, quantities);
    });

    const units = () =>
      Promise.all(
        suite.registry.ids.map(async (id) => {
          const all = await suite.registry.entityManager(id).find(Quantity, {}, { orderBy: { id: 'asc' } });
          return all.map(({ unit }) => unit).join();
        }),
      );

    it('are on every shard, and one of them is asked', async () => {
      expect(await units()).toEqual(Array(suite.count).fill('hPa,°C'));
      const em = suite.create();
      const statements = await suite.statementsOf(async () => {
        expect(await em.find(Quantity, {})).toHaveLength(2);
        expect(await em.count(Quantity)).toBe(2);
        expect((await em.findOne(Quantity, 'pressure'))?.unit).toBe('hPa');
        expect(await em.aggregate(Quantity, { select: { all: 'count' } })).toEqual([{ all: 2 }]);
      });
      expect(Object.keys(statements)).toEqual(['shard-1']);
      expect(em.explainRoute(Quantity, {})).toEqual({ shards: ['shard-1'], by: 'every-shard' });
    });

    it('are referred to by rows of any shard, and loaded from that shard', async () => {
      const em = suite.create({ mode: 'multi' });
      for (const [id, continent] of [[2, 'asia'] as const, [3, 'europe'] as const]) {
        const location = (await em.findOne(Location, { id, continent })) as Location;
        em.create(Report, { id: 80 + id, location, quantity: 'pressure' as never });
      }
      await em.flush();
      const reports = await suite.create().find(Report, { id: { $gte: 80 } });
      expect(reports.map(({ quantity }) => quantity?.id)).toEqual(['pressure', 'pressure']);
      const fresh = suite.create();
      const [report] = await fresh.find(Report, { id: 83, location: { continent: 'europe' } });
      const statements = await suite.statementsOf(async () => {
        await fresh.refresh(report?.quantity as Quantity);
      });
      expect(statements).toEqual(suite.sent({ europe: 1 }));
    });

    it('are written on every shard together, and count once', async () => {
      const em = suite.create({ mode: 'multi' });
      expect(await em.nativeUpdate(Quantity, { id: 'pressure' }, { unit: 'mbar' })).toBe(1);
      expect(await units()).toEqual(Array(suite.count).fill('mbar,°C'));
      expect(await em.bulkInsert(Quantity, [{ id: 'wind', unit: 'm/s' }])).toBe(1);
      expect(await em.nativeDelete(Quantity, { id: { $in: ['temperature', 'wind'] } })).toBe(2);
      expect(await units()).toEqual(Array(suite.count).fill('mbar'));
    });

    itApart(suite, 2, 'are not written on one shard alone, by whatever way, before any SQL', async () => {
      const shard = suite.at('asia');
      const em = suite.create({ mode: 'multi' });
      const pressure = (await em.findOne(Quantity, 'pressure')) as Quantity;
      const row = { id: 'wind', unit: 'm/s' };
      const statements = await suite.statementsOf(async () => {
        expect(() => em.create(Quantity, row)).toThrow(ReferenceEntityError);
        await expect(em.nativeUpdate(Quantity, {}, { unit: 'x' }, { shard })).rejects.toThrow(ReferenceEntityError);
        await expect(em.nativeDelete(Quantity, {}, { shard })).rejects.toThrow(ReferenceEntityError);
        await expect(em.insertMany(Quantity, [row], { shard })).rejects.toThrow(ReferenceEntityError);
        await expect(suite.create({ shard }).bulkInsert(Quantity, [row])).rejects.toThrow(ReferenceEntityError);
        await expect(em.insertMany(Quantity, [{ unit: 'x' }] as never)).rejects.toThrow(ReferenceEntityError);
        await expect(suite.create().nativeUpdate(Quantity, {}, { unit: 'x' })).rejects.toThrow(CrossShardWriteError);
        pressure.unit = 'mbar';
        await expect(em.flush()).rejects.toThrow(ReferenceEntityError);
        const pinned = suite.create();
        pinned.create(Quantity, row, { shard });
        await expect(pinned.flush()).rejects.toThrow(ReferenceEntityError);
      });
      expect(statements).toEqual({});
      expect(await units()).toEqual(Array(suite.count).fill('hPa,°C'));
    });
  });
});
