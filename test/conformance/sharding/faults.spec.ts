import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { EventSubscriber } from '@mikro-orm/core';
import { ormOptions } from '#libs/persistence';
import {
  createShardedEntityManagerFactory,
  FanOutUnsupportedError,
  FlushInFlushError,
  ShardRegistry,
  ShardUnavailableError,
  TooManyGroupsError,
} from '#libs/sharding';
import { eachLayout, itApart, seedWeather, weatherChoosers } from './layouts.js';
import { Location, Report, weatherModel } from './weather.model.js';

describe('a failing shard', () => {
  const sockets: Socket[] = [];
  let silent: Server;
  let registry: ShardRegistry;
  const create = (deadlineMs: number) =>
    createShardedEntityManagerFactory({ shards: registry, deadlineMs, ...weatherChoosers(registry.ids) }).create();

  beforeAll(async () => {
    // Kysely writes a line for each connection that comes to its end after nobody waits for it any more.
    jest.spyOn(console, 'error').mockImplementation(() => undefined);
    // Accepts and never answers: worse than being away.
    silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as AddressInfo;
    registry = new ShardRegistry({
      shards: [
        { id: 'up', url: 'sqlite::memory:' },
        { id: 'hung', url: `postgresql://postgres@127.0.0.1:${port}/none` },
        { id: 'also-up', url: 'sqlite::memory:' },
        { id: 'away', url: 'postgresql://postgres@127.0.0.1:1/none' },
      ],
      ormOptions: ({ url }) => ormOptions(url, { entities: weatherModel }),
    });
    for (const id of ['up', 'also-up']) await registry.get(id).schema.create();
  });

  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    silent.close();
    await registry.close();
    jest.restoreAllMocks();
  });

  it('is named by the error, at once when it is away', async () => {
    const failure = await create(5000)
      .find(Location, { continent: 'south_america' })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ShardUnavailableError);
    expect(failure).toMatchObject({ shardId: 'away', code: 'shard_unavailable' });
  });

  it('costs the deadline and no more when it hangs', async () => {
    const start = performance.now();
    const failure = await create(150)
      .count(Location, { continent: 'asia' })
      .catch((error: unknown) => error);
    const ms = performance.now() - start;
    expect(failure).toMatchObject({ shardId: 'hung', message: expect.stringContaining('no answer within 150 ms') });
    expect(ms).toBeGreaterThanOrEqual(149);
    expect(ms).toBeLessThan(1000);
  });

  it('takes a deadline of the call before that of the unit of work', async () => {
    const start = performance.now();
    await expect(create(60_000).find(Location, { continent: 'asia' }, { deadlineMs: 50 })).rejects.toThrow(
      /within 50 ms/,
    );
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it('leaves the others undisturbed', async () => {
    const em = create(5000);
    em.create(Location, { id: 1, continent: 'north_america', city: 'Boston' });
    await em.flush();
    expect(await em.find(Location, { continent: { $in: ['north_america', 'europe'] } })).toHaveLength(1);
  });

  it('is left out on request, and named as missing', async () => {
    const em = create(100);
    const { rows, missing } = await em.findPartial(Location, {}, { orderBy: { city: 'asc' } });
    expect(rows.map(({ city }) => city)).toEqual(['Boston']);
    expect(missing.map(({ id, error }) => [id, error instanceof ShardUnavailableError])).toEqual([
      ['hung', true],
      ['away', true],
    ]);
  });

  it('lets a caller call off what hangs', async () => {
    const control = new AbortController();
    const factory = createShardedEntityManagerFactory({ shards: registry, ...weatherChoosers(registry.ids) });
    const em = factory.create({ signal: control.signal });
    const finding = em.find(Location, { continent: 'asia' });
    setTimeout(() => control.abort(new Error('the caller left')), 20);
    await expect(finding).rejects.toThrow('the caller left');
  });
});

describe('refusals', () => {
  eachLayout((suite) => {
    itApart(suite, 2, 'refuses, before any SQL, what has no exact answer over several shards', async () => {
      await seedWeather(suite);
      const em = suite.create();
      const statements = await suite.statementsOf(async () => {
        const refused: Promise<unknown>[] = [
          em.find(Report, {}, { orderBy: { location: { city: 'asc' } } }),
          em.find(Location, {}, { orderBy: { id: 'sideways' as 'asc' } }),
          em.find(Location, {}, { fields: ['id'], orderBy: { city: 'asc' } } as never),
          em.find(Location, {}, { exclude: ['city'], orderBy: { city: 'asc' } } as never),
          em.find(Location, {}, { orderBy: { notes: 'asc' } }),
          em.findByCursor(Location, { orderBy: { notes: 'asc' }, first: 2 }),
          em.find(Location, {}, { groupBy: 'city' } as never),
          em.aggregate(Location, { select: { sum: { sum: 'city' } } }),
          em.aggregate(Location, { select: { count: 'count' }, having: { nothing: 1 } }),
          em.aggregate(Location, { select: { count: 'count' }, orderBy: { nothing: 'asc' } }),
          em.aggregate(Report, { groupBy: ['location'] }),
          em.aggregate(Location, { groupBy: ['city'], select: { city: 'count' } }),
        ];
        for (const promise of refused) await expect(promise).rejects.toThrow(FanOutUnsupportedError);
      });
      expect(statements).toEqual({});
      // On one shard a database does it.
      const where = { location: { continent: 'asia' } };
      expect(await em.find(Report, where, { orderBy: { location: { city: 'asc' } } })).toHaveLength(1);
    });

    it('refuses more groups than memory is given for, of one shard or of all together', async () => {
      await seedWeather(suite);
      const em = suite.create();
      const query = { groupBy: ['city'], select: { stations: 'count' } } as const;
      expect(await em.aggregate(Location, { ...query, maxGroups: 4 })).toHaveLength(4);
      await expect(em.aggregate(Location, { ...query, maxGroups: 3 })).rejects.toThrow(TooManyGroupsError);
      const values = { select: { cities: { countDistinct: 'city' } }, maxGroups: 3 } as const;
      await expect(em.aggregate(Location, values)).rejects.toThrow(TooManyGroupsError);
    });

    it('refuses a flush inside of a flush instead of waiting for itself', async () => {
      const em = suite.create();
      const listener: EventSubscriber = { beforeFlush: () => em.flush() };
      const events = suite.registry.get(suite.at('asia')).em.getEventManager();
      events.registerSubscriber(listener);
      em.create(Location, { id: 1, continent: 'asia' });
      await expect(em.flush()).rejects.toThrow(FlushInFlushError);
      listener.beforeFlush = async () => {};
      await em.flush();
      expect(await em.count(Location)).toBe(1);
    });

    it('undoes every shard when a subscriber of one fails before the commit', async () => {
      const em = suite.create({ mode: 'multi' });
      const listener: EventSubscriber = {
        beforeTransactionCommit: () => Promise.reject(new Error('no entry, no change')),
      };
      suite.registry.get(suite.at('europe')).em.getEventManager().registerSubscriber(listener);
      em.create(Location, { id: 1, continent: 'asia' });
      em.create(Location, { id: 2, continent: 'europe' });
      await expect(em.flush()).rejects.toThrow('no entry, no change');
      listener.beforeTransactionCommit = async () => {};
      expect(await suite.create().count(Location)).toBe(0);
    });
  });
});
