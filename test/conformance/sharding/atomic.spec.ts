import { describe, expect, it } from '@jest/globals';
import type { EventSubscriber } from '@mikro-orm/core';
import {
  AtomicUnsupportedError,
  assertAtomicReady,
  type ShardId,
  TransactionRecoverer,
  UnitOfWorkBrokenError,
} from '#libs/sharding';
import { eachAtomicNumberOfShards, eachLayoutWithSqlite } from './atomic-layouts.js';
import { CONTINENTS, type Continent, itApart, type ShardSuite } from './layouts.js';
import { Location } from './weather.model.js';

/** Ids of the locations on each shard, read past the sharded EntityManager. */
async function idsOnEach(suite: ShardSuite): Promise<number[][]> {
  return Promise.all(
    suite.registry.ids.map(async (id) => {
      const rows = await suite.registry.entityManager(id).find(Location, {}, { orderBy: { id: 'asc' } });
      return rows.map((row) => row.id);
    }),
  );
}

/** Decisions of each shard; none where there is no table for them. */
async function decisionsOf(suite: ShardSuite, id: ShardId): Promise<string[]> {
  const rows = await suite.registry
    .entityManager(id)
    .execute<{ decision: string }[]>('select decision from shard_decision')
    .catch(() => []);
  return rows.map(({ decision }) => decision);
}

/** One new location on each of the three shards. */
function spread(suite: ShardSuite, firstId: number) {
  const em = suite.create({ mode: 'atomic' });
  for (const [index, continent] of ['north_america', 'asia', 'europe'].entries()) {
    em.create(Location, { id: firstId + index, continent });
  }
  return em;
}

describe('a transaction in the mode "atomic"', () => {
  eachAtomicNumberOfShards((suite) => {
    /** Ids on each shard, from those of each continent. */
    const idsOf = (ids: Partial<Record<Continent, number[]>>) =>
      suite.registry.ids.map((id) => {
        const own = CONTINENTS.filter((it) => suite.at(it) === id).flatMap((it) => ids[it] ?? []);
        return own.sort((one, other) => one - other);
      });
    const first = { north_america: [1], asia: [2], europe: [3] };
    const nothingInDoubt = async () => {
      const recoverer = new TransactionRecoverer({ shards: suite.registry, graceMs: 0 });
      expect(await recoverer.recover()).toEqual({ committed: 0, rolledBack: 0, inDoubt: 0, missing: [] });
    };

    it('commits on every shard, and leaves nothing prepared', async () => {
      await spread(suite, 1).flush();
      expect(await idsOnEach(suite)).toEqual(idsOf(first));
      await nothingInDoubt();
    });

    itApart(suite, 2, 'keeps its decision on the home shard alone, by default the first that takes part', async () => {
      const before = (await decisionsOf(suite, 'shard-1')).length;
      await spread(suite, 1).flush();
      expect(await decisionsOf(suite, 'shard-1')).toHaveLength(before + 1);
    });

    itApart(
      suite,
      3,
      'keeps its decision on the home shard that is asked for, also when nothing else is written there',
      async () => {
        const before = (await decisionsOf(suite, 'shard-3')).length;
        const em = suite.create();
        em.create(Location, { id: 1, continent: 'asia' });
        em.create(Location, { id: 2, continent: 'north_america' });
        await em.flush({ mode: 'atomic', homeShard: 'shard-3' });
        expect(await decisionsOf(suite, 'shard-3')).toHaveLength(before + 1);
        expect(await idsOnEach(suite)).toEqual(idsOf({ north_america: [2], asia: [1] }));
      },
    );

    it('is an ordinary one on one shard: no decision is written', async () => {
      const decisions = () => Promise.all(suite.registry.ids.map((id) => decisionsOf(suite, id)));
      const before = await decisions();
      const em = suite.create({ mode: 'atomic' });
      em.create(Location, { id: 1, continent: 'asia' });
      await em.flush();
      await em.transactional(async () => {
        em.create(Location, { id: 2, continent: 'asia' });
      });
      expect(await idsOnEach(suite)).toEqual(idsOf({ asia: [1, 2] }));
      expect(await decisions()).toEqual(before);
    });

    itApart(suite, 2, 'leaves every shard unchanged when one refuses a row, and then wants to be cleared', async () => {
      await spread(suite, 1).flush();
      const em = spread(suite, 10);
      em.create(Location, { id: 2, continent: 'asia' });
      await expect(em.flush()).rejects.toThrow(/unique|duplicate/i);
      expect(await idsOnEach(suite)).toEqual(idsOf(first));
      await expect(em.flush()).rejects.toThrow(UnitOfWorkBrokenError);
      await nothingInDoubt();
    });

    it('undoes every shard when a subscriber of one fails before the commit', async () => {
      const listener: EventSubscriber = { beforeTransactionCommit: () => Promise.reject(new Error('no entry')) };
      suite.registry.get('shard-1').em.getEventManager().registerSubscriber(listener);
      await expect(spread(suite, 1).flush()).rejects.toThrow('no entry');
      listener.beforeTransactionCommit = async () => {};
      expect(await idsOnEach(suite)).toEqual(idsOf({}));
      await nothingInDoubt();
    });

    it.each(['north_america', 'asia'] as const)(
      'stands on every shard when a subscriber in %s fails after the commit',
      async (continent) => {
        const failing: EventSubscriber = { afterTransactionCommit: () => Promise.reject(new Error('too late')) };
        suite.registry.get(suite.at(continent)).em.getEventManager().registerSubscriber(failing);
        await expect(spread(suite, 1).flush()).rejects.toThrow('too late');
        failing.afterTransactionCommit = async () => {};
        expect(await idsOnEach(suite)).toEqual(idsOf(first));
        await nothingInDoubt();
      },
    );

    it('rolls back what a callback has written when it throws, and a part of it by a savepoint', async () => {
      const em = suite.create({ mode: 'atomic' });
      await em.transactional(async () => {
        await em
          .on(suite.at('north_america'))
          .then((child) => child.insert(Location, { id: 1, continent: 'north_america' }));
        const nested = em.transactional(async () => {
          await em
            .on(suite.at('north_america'))
            .then((child) => child.insert(Location, { id: 2, continent: 'north_america' }));
          await em.on(suite.at('asia')).then((child) => child.insert(Location, { id: 3, continent: 'asia' }));
          throw new Error('inner');
        });
        await expect(nested).rejects.toThrow('inner');
        await em.on(suite.at('asia')).then((child) => child.insert(Location, { id: 4, continent: 'asia' }));
      });
      expect(await idsOnEach(suite)).toEqual(idsOf({ north_america: [1], asia: [4] }));
      const failing = suite.create({ mode: 'atomic' }).transactional(async (own) => {
        await own.on(suite.at('asia')).then((child) => child.insert(Location, { id: 5, continent: 'asia' }));
        await own.on(suite.at('europe')).then((child) => child.insert(Location, { id: 6, continent: 'europe' }));
        throw new Error('outer');
      });
      await expect(failing).rejects.toThrow('outer');
      expect(await idsOnEach(suite)).toEqual(idsOf({ north_america: [1], asia: [4] }));
      await nothingInDoubt();
    });

    it('updates, deletes and inserts past the unit of work over several shards', async () => {
      await spread(suite, 1).flush();
      const em = suite.create({ mode: 'atomic' });
      expect(await em.nativeUpdate(Location, {}, { city: 'Ys' })).toBe(3);
      await em.transactional(async () => {
        await em.nativeDelete(Location, { continent: 'asia' });
        await em.insertMany(Location, [
          { id: 7, continent: 'europe' },
          { id: 8, continent: 'north_america' },
        ]);
        expect(await em.count(Location)).toBe(4);
      });
      expect(await idsOnEach(suite)).toEqual(idsOf({ north_america: [1, 8], europe: [3, 7] }));
    });

    it('is ready on these shards, as a start can ask', async () => {
      await assertAtomicReady(suite.registry);
    });

    it('gives every connection back, whatever becomes of it', async () => {
      for (let round = 0; round < 5; round++) {
        await spread(suite, 10 * round + 1).flush();
        await expect(spread(suite, 10 * round + 1).flush()).rejects.toThrow(/unique|duplicate/i);
      }
      // As many at once as the pool has places.
      await Promise.all([100, 110, 120].map((id) => spread(suite, id).flush()));
      const firsts = [1, 11, 21, 31, 41, 100, 110, 120];
      const ids = (offset: number) => firsts.map((id) => id + offset);
      expect(await idsOnEach(suite)).toEqual(idsOf({ north_america: ids(0), asia: ids(1), europe: ids(2) }));
      await nothingInDoubt();
    });

    itApart(suite, 3, 'tells subscribers of a commit once, after it is decided', async () => {
      const heard: string[] = [];
      const listeners = suite.registry.all().map(({ id, orm }) => {
        const listener: EventSubscriber = {
          beforeTransactionCommit: async () => void heard.push(`before ${id}`),
          afterTransactionCommit: async () => void heard.push(`after ${id}`),
          afterTransactionRollback: async () => void heard.push(`rollback ${id}`),
        };
        orm.em.getEventManager().registerSubscriber(listener);
        return listener;
      });
      await spread(suite, 1).flush();
      for (const listener of listeners) {
        for (const name of Object.keys(listener)) delete listener[name as keyof EventSubscriber];
      }
      expect(heard.slice(0, 4)).toEqual(['before shard-2', 'before shard-3', 'before shard-1', 'after shard-1']);
      expect(heard.slice(4).sort()).toEqual(['after shard-2', 'after shard-3']);
    });
  });
});

describe('where there is no two-phase commit', () => {
  eachLayoutWithSqlite((suite) => {
    const sqlites = () => suite.registry.ids.filter((id) => suite.registry.definition(id).url.startsWith('sqlite:'));

    it('is refused before any SQL, and nothing is lost', async () => {
      const em = suite.create({ mode: 'atomic' });
      em.create(Location, { id: 1, continent: 'north_america' });
      em.create(Location, { id: 2, continent: 'asia' });
      em.create(Location, { id: 3, continent: 'europe' });
      const statements = await suite.statementsOf(async () => {
        await expect(em.flush()).rejects.toThrow(AtomicUnsupportedError);
      });
      expect(statements).toEqual({});
      await em.flush({ mode: 'multi' });
      expect(await suite.create().count(Location)).toBe(3);
    });

    it('names the shard that cannot take part', async () => {
      const [id] = sqlites() as [ShardId];
      const em = suite.create({ mode: 'atomic' });
      const failure = await em.transactional(() => em.on(id)).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'atomic_unsupported', shardId: id });
    });
  });
});
