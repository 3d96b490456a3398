import { describe, expect, it } from '@jest/globals';
import {
  CommitFailedError,
  CrossShardAssociationError,
  CrossShardWriteError,
  ForeignEntityError,
  ShardKeyChangedError,
  UnitOfWorkBrokenError,
} from '#libs/sharding';
import { eachLayout, itApart, type ShardSuite, seedWeather } from './layouts.js';
import { Instrument, Location, Maker, Orphan, Report } from './weather.model.js';

/** Rows of an entity per shard, read past the sharded EntityManager. */
async function countEach(
  suite: ShardSuite,
  entity: typeof Location | typeof Report | typeof Orphan,
): Promise<number[]> {
  return Promise.all(suite.registry.ids.map((id) => suite.registry.entityManager(id).count(entity as typeof Location)));
}

const ONE_EACH = { north_america: 1, asia: 1, europe: 1, south_america: 1 };

describe('flush', () => {
  eachLayout((suite) => {
    itApart(
      suite,
      2,
      'refuses changes of two shards in the mode "single" before any SQL, and loses none of them',
      async () => {
        const em = suite.create();
        em.create(Location, { id: 1, continent: 'asia' });
        em.create(Location, { id: 2, continent: 'europe' });
        // With a key that the database assigns: MikroORM itself would forget this object with the refused flush.
        em.create(Orphan, {}, { shard: suite.at('europe') });
        const statements = await suite.statementsOf(async () => {
          await expect(em.flush()).rejects.toThrow(CrossShardWriteError);
        });
        expect(statements).toEqual({});
        await em.flush({ mode: 'multi' });
        expect(await countEach(suite, Location)).toEqual(suite.rows({ asia: 1, europe: 1 }));
        expect(await countEach(suite, Orphan)).toEqual(suite.rows({ europe: 1 }));
      },
    );

    it('sends statements that grow with shards, not with rows', async () => {
      const em = suite.create({ mode: 'multi' });
      for (let id = 1; id <= 40; id++) {
        em.create(Location, { id, continent: id % 2 === 0 ? 'asia' : 'europe', city: `City ${id}` });
      }
      expect(await suite.statementsOf(() => em.flush())).toEqual(suite.sent({ asia: 1, europe: 1 }));
      expect(await countEach(suite, Location)).toEqual(suite.rows({ asia: 20, europe: 20 }));
    });

    it('sends nothing when nothing has changed', async () => {
      await seedWeather(suite);
      const em = suite.create();
      await em.find(Location, {}, { populate: ['reports', 'instruments'] });
      expect(await suite.statementsOf(() => em.flush())).toEqual({});
    });

    it('updates and removes each object on its own shard', async () => {
      await seedWeather(suite);
      const em = suite.create({ mode: 'multi' });
      const [newYork, tokyo] = await em.find(Location, {}, { orderBy: { id: 'asc' } });
      const quito = await em.findOne(Report, { location: { continent: 'south_america' } });
      (newYork as Location).city = 'New Amsterdam';
      (tokyo as Location).city = 'Edo';
      em.remove(quito as Report);
      const statements = await suite.statementsOf(() => em.flush());
      // Updates of one table are one statement, and what is removed is another.
      expect(statements).toEqual(suite.sent({ north_america: 1, asia: 1 }, { south_america: 1 }));
      const again = await suite.create().find(Location, {}, { orderBy: { id: 'asc' } });
      expect(again.map(({ city }) => city)).toEqual(['New Amsterdam', 'Edo', 'London', 'Quito']);
      expect(await countEach(suite, Report)).toEqual(suite.rows({ north_america: 1, asia: 1, europe: 1 }));
    });

    itApart(suite, 2, 'leaves every shard unchanged when one refuses a row, and then wants to be cleared', async () => {
      await seedWeather(suite);
      const em = suite.create({ mode: 'multi' });
      em.create(Location, { id: 20, continent: 'asia' });
      em.create(Location, { id: 21, continent: 'europe' });
      em.create(Location, { id: 4, continent: 'south_america', city: 'a second Quito' });
      await expect(em.flush()).rejects.toThrow(/unique|duplicate/i);
      expect(await countEach(suite, Location)).toEqual(suite.rows(ONE_EACH));
      await expect(em.flush()).rejects.toThrow(UnitOfWorkBrokenError);
      await expect(em.find(Location, {})).rejects.toThrow(UnitOfWorkBrokenError);
      expect(() => em.create(Location, { id: 22, continent: 'asia' })).toThrow(UnitOfWorkBrokenError);
      em.clear();
      expect(await em.count(Location)).toBe(4);
    });

    itApart(suite, 2, 'refuses a relation whose ends live on two shards, before any SQL', async () => {
      await seedWeather(suite);
      const em = suite.create({ mode: 'multi' });
      const tokyo = await em.findOne(Location, 2);
      const london = (await em.findOne(Location, 3, { populate: ['reports', 'instruments'] })) as Location;
      const refused = async (change: () => void) => {
        change();
        const statements = await suite.statementsOf(async () => {
          await expect(em.flush()).rejects.toThrow(CrossShardAssociationError);
        });
        expect(statements).toEqual({});
      };
      const [report] = london.reports;
      await refused(() => Object.assign(report as Report, { location: tokyo }));
      em.clear();
      const other = (await em.findOne(Location, 3, { populate: ['instruments'] })) as Location;
      await refused(() => {
        other.instruments.add(em.create(Instrument, { id: 1, continent: 'asia', name: 'barometer' }));
      });
      em.clear();
      const child = suite.create({ mode: 'multi' });
      const asia = (await child.findOne(Location, 2)) as Location;
      child.create(Report, { id: 70, location: asia }, { shard: suite.at('europe') });
      await expect(child.flush()).rejects.toThrow(CrossShardAssociationError);
      expect(await countEach(suite, Report)).toEqual(suite.rows(ONE_EACH));
    });

    itApart(suite, 2, 'goes on when a refused relation is taken back', async () => {
      await seedWeather(suite);
      const em = suite.create();
      const london = (await em.findOne(Location, 3, { populate: ['instruments'] })) as Location;
      const barometer = Object.assign(new Instrument(), { id: 1, continent: 'asia', name: 'barometer' });
      london.instruments.add(barometer);
      await expect(em.flush()).rejects.toThrow(CrossShardAssociationError);
      london.instruments.remove(barometer);
      london.city = 'Londinium';
      expect(await suite.statementsOf(() => em.flush())).toEqual(suite.sent({ europe: 1 }));
      expect(await suite.create().count(Instrument)).toBe(0);
    });

    itApart(suite, 2, 'refuses a new object of another shard behind a relation that does not cascade', async () => {
      await seedWeather(suite);
      const em = suite.create();
      const maker = Object.assign(new Maker(), { id: 1, continent: 'europe' });
      em.create(Instrument, { id: 1, continent: 'asia', name: 'barometer', maker });
      const statements = await suite.statementsOf(async () => {
        await expect(em.flush()).rejects.toThrow(CrossShardAssociationError);
      });
      expect(statements).toEqual({});
    });

    itApart(suite, 2, 'refuses to remove along with an object what lives on another shard', async () => {
      await seedWeather(suite);
      const em = suite.create({ mode: 'multi' });
      em.create(Instrument, { id: 1, continent: 'asia', name: 'barometer' });
      em.create(Instrument, { id: 1, continent: 'europe', name: 'thermometer' });
      await em.flush();
      em.clear();
      const london = (await em.findOne(Location, 3, { populate: ['instruments'] })) as Location;
      const barometer = (await em.findOne(Instrument, 1, { shard: suite.at('asia') })) as Instrument;
      london.instruments.add(barometer);
      em.remove(london);
      const statements = await suite.statementsOf(async () => {
        await expect(em.flush()).rejects.toThrow(CrossShardAssociationError);
      });
      expect(statements).toEqual({});
      expect(await suite.create().count(Instrument)).toBe(2);
    });

    it('refuses to change the shard key of a stored row, before any SQL', async () => {
      await seedWeather(suite);
      const em = suite.create();
      const tokyo = (await em.findOne(Location, 2)) as Location;
      tokyo.continent = 'europe';
      const statements = await suite.statementsOf(async () => {
        await expect(em.flush()).rejects.toThrow(ShardKeyChangedError);
      });
      expect(statements).toEqual({});
    });

    it('refuses an entity of another EntityManager', async () => {
      await seedWeather(suite);
      const stranger = (await suite.create().findOne(Location, 2)) as Location;
      const em = suite.create();
      expect(() => em.persist(stranger)).toThrow(ForeignEntityError);
      expect(() => em.shardOf(stranger)).toThrow(ForeignEntityError);
      await expect(em.refresh(stranger)).rejects.toThrow(ForeignEntityError);
    });

    it('flushes what waits before it asks for the same entity', async () => {
      const em = suite.create();
      em.create(Location, { id: 30, continent: 'asia', city: 'Kyoto' });
      expect(await em.count(Location, { city: 'Kyoto' })).toBe(1);
    });

    it('keeps two flushes at once apart', async () => {
      const em = suite.create({ mode: 'multi' });
      em.create(Location, { id: 1, continent: 'asia' });
      em.create(Location, { id: 2, continent: 'europe' });
      const first = em.flush();
      em.create(Location, { id: 3, continent: 'north_america' });
      await Promise.all([first, em.flush()]);
      expect(await countEach(suite, Location)).toEqual(suite.rows({ north_america: 1, asia: 1, europe: 1 }));
    });
  });
});

describe('transactional', () => {
  eachLayout((suite) => {
    it('commits what it has written on every shard, and returns the result', async () => {
      const em = suite.create();
      const result = await em.transactional(
        async (inner) => {
          inner.create(Location, { id: 1, continent: 'asia' });
          await inner.flush();
          inner.create(Location, { id: 2, continent: 'europe' });
          return 'done';
        },
        { mode: 'multi' },
      );
      expect(result).toBe('done');
      expect(await countEach(suite, Location)).toEqual(suite.rows({ asia: 1, europe: 1 }));
    });

    it('rolls every shard back when the callback throws', async () => {
      const em = suite.create({ mode: 'multi' });
      const failing = em.transactional(async () => {
        em.create(Location, { id: 1, continent: 'asia' });
        em.create(Location, { id: 2, continent: 'europe' });
        await em.flush();
        throw new Error('boom');
      });
      await expect(failing).rejects.toThrow('boom');
      expect(await countEach(suite, Location)).toEqual(suite.rows({}));
      await expect(em.flush()).rejects.toThrow(UnitOfWorkBrokenError);
    });

    itApart(suite, 2, 'refuses the second shard it writes to in the mode "single", and keeps neither', async () => {
      const em = suite.create();
      const failing = em.transactional(async () => {
        em.create(Location, { id: 1, continent: 'asia' });
        await em.flush();
        em.create(Location, { id: 2, continent: 'europe' });
        await em.flush();
      });
      await expect(failing).rejects.toThrow(CrossShardWriteError);
      expect(await countEach(suite, Location)).toEqual(suite.rows({}));
    });

    it('keeps the outer work when a nested transaction fails on shards old and new', async () => {
      const em = suite.create({ mode: 'multi' });
      await em.transactional(async () => {
        em.create(Location, { id: 1, continent: 'asia' });
        await em.flush();
        const nested = em.transactional(async () => {
          await em.on(suite.at('asia')).then((child) => child.nativeUpdate(Location, 1, { city: 'lost' }));
          await em.on(suite.at('europe')).then((child) => child.insert(Location, { id: 2, continent: 'europe' }));
          throw new Error('inner');
        });
        await expect(nested).rejects.toThrow('inner');
        await em.on(suite.at('europe')).then((child) => child.insert(Location, { id: 3, continent: 'europe' }));
      });
      expect(await countEach(suite, Location)).toEqual(suite.rows({ asia: 1, europe: 1 }));
      expect((await suite.registry.entityManager(suite.at('asia')).findOne(Location, 1))?.city).toBeNull();
      expect(await suite.registry.entityManager(suite.at('europe')).findOne(Location, 3)).not.toBeNull();
    });

    it('wants to be cleared when a nested transaction fails after a flush: its objects are not stored', async () => {
      const em = suite.create();
      await em.transactional(async () => {
        const nested = em.transactional(async () => {
          em.create(Location, { id: 1, continent: 'asia' });
          await em.flush();
          throw new Error('inner');
        });
        await expect(nested).rejects.toThrow('inner');
        await expect(em.find(Location, {})).rejects.toThrow(UnitOfWorkBrokenError);
        em.clear();
        em.create(Location, { id: 2, continent: 'asia' });
      });
      expect((await suite.create().find(Location, {})).map(({ id }) => id)).toEqual([2]);
    });

    itApart(suite, 4, 'names committed, failed and rolled-back shards when a commit fails', async () => {
      const em = suite.create({ mode: 'multi' });
      em.create(Location, { id: 1, continent: 'north_america' });
      em.create(Location, { id: 2, continent: 'asia' });
      em.create(Location, { id: 3, continent: 'europe' });
      const connection = suite.registry.get('shard-2').driver.getConnection('write');
      const commit = connection.commit;
      connection.commit = async () => {
        throw new Error('disk full');
      };
      try {
        const failure = await em.flush().catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(CommitFailedError);
        expect(failure).toMatchObject({
          outcome: { committed: ['shard-1'], failed: ['shard-2'], unknown: [], rolledBack: ['shard-3'] },
        });
      } finally {
        connection.commit = commit;
      }
      expect(await countEach(suite, Location)).toEqual(suite.rows({ north_america: 1 }));
    });

    it('commits in configured order, the home shard last', async () => {
      const em = suite.create();
      const order: string[] = [];
      const restore = suite.registry.all().map(({ id, orm }) => {
        const connection = orm.driver.getConnection('write');
        const commit = connection.commit.bind(connection);
        connection.commit = async (...args) => {
          order.push(id);
          return commit(...args);
        };
        return () => {
          connection.commit = commit;
        };
      });
      em.create(Location, { id: 3, continent: 'europe' });
      em.create(Location, { id: 2, continent: 'asia' });
      em.create(Location, { id: 1, continent: 'north_america' });
      await em.flush({ mode: 'multi', homeShard: 'shard-1' });
      for (const undo of restore) undo();
      const others = suite.shardsOf('asia', 'europe').filter((id) => id !== 'shard-1');
      expect(order).toEqual([...others, 'shard-1']);
    });
  });
});
