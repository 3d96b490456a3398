import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ShardedEntityManager } from '#libs/sharding';
import { eachEngine } from '#libs/testing';
import { aShardSuite, seedWeather } from './layouts.js';
import { Location, Report } from './weather.model.js';

const LATE = { deadlineMs: 300 };

/** Writes that wait for somebody who has the row of Tokyo, or is about to store the station 50. */
const WRITES: Readonly<Record<string, (em: ShardedEntityManager) => Promise<unknown>>> = {
  nativeUpdate: (em) => em.nativeUpdate(Location, { continent: 'asia' }, { city: 'late' }, LATE),
  'nativeUpdate of several shards': (em) => em.nativeUpdate(Location, {}, { city: 'late' }, { ...LATE, mode: 'multi' }),
  nativeDelete: (em) => em.nativeDelete(Location, { id: 2, continent: 'asia' }, LATE),
  insertMany: (em) => em.insertMany(Location, [{ id: 50, continent: 'asia', city: 'late' }], LATE),
  bulkInsert: (em) => em.bulkInsert(Location, [{ id: 50, continent: 'asia', city: 'late' }], LATE),
  'bulkInsert on several shards': (em) =>
    em.bulkInsert(
      Location,
      [
        { id: 50, continent: 'asia', city: 'late' },
        { id: 51, continent: 'europe', city: 'late' },
      ],
      { ...LATE, mode: 'multi' },
    ),
};

describe('a write that is late', () => {
  eachEngine((engine) => {
    const suite = aShardSuite({ engines: [engine, engine, engine, engine] });

    // MikroORM writes a line for each query that is called off.
    beforeAll(() => {
      jest.spyOn(console, 'error').mockImplementation(() => undefined);
    });
    beforeEach(async () => {
      await seedWeather(suite);
      for (const id of suite.registry.ids) await suite.registry.entityManager(id).nativeDelete(Report, {});
    });
    afterAll(() => {
      jest.restoreAllMocks();
    });

    // On sqlite a transaction that waits for its turn cannot be called off; it ends with the one it waits for.
    const names = Object.keys(WRITES).filter((name) => engine.name !== 'sqlite' || !name.includes('several'));

    it.each(names)('by %s is not stored after its caller was told so', async (name) => {
      const holder = suite.registry.entityManager('shard-2');
      await holder.begin();
      await holder.nativeUpdate(Location, { id: 2 }, { city: 'Edo' });
      await holder.insert(Location, { id: 50, continent: 'asia', city: 'Kyoto' });
      const start = performance.now();
      await expect(WRITES[name]?.(suite.create())).rejects.toThrow(/no answer within 300 ms/);
      expect(performance.now() - start).toBeLessThan(5_000);
      await holder.rollback();
      // One more write on the shard comes after all that still wait for their turn there.
      await suite.registry.entityManager('shard-2').nativeUpdate(Location, { id: 2 }, { notes: 'since' });
      const found = await suite.create().find(Location, {}, { orderBy: { id: 'asc' } });
      expect(found.map(({ city }) => city)).toEqual(['New York', 'Tokyo', 'London', 'Quito']);
    });
  });
});
