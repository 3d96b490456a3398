import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { sql } from 'kysely';
import { ormOptions, runInSystemFrame } from '#libs/persistence';
import { ShardRegistry, ShardUnavailableError } from '#libs/sharding';
import { createTestDatabase, eachEngine, type TestDatabase, type TestEngine } from '#libs/testing';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { Location, weatherModel } from './weather.model.js';

const CONNECT_MS = 400;
const ANSWER_MS = 300;
const PAUSE_MS = 250;
const POOL = 2;

// A wait without end is what this is about.
jest.setTimeout(15_000);

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** How a call ended, and after how many milliseconds. */
async function timed<T>(call: () => Promise<T>): Promise<{ value?: T; error?: unknown; ms: number }> {
  const start = performance.now();
  const outcome = await call().then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  return { ...outcome, ms: performance.now() - start };
}

/** A server that a proxy can take away, beside one that nothing happens to. */
function aShardBehindAProxy(engine: TestEngine) {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let registry: ShardRegistry;

  beforeAll(async () => {
    // Kysely writes a line for each connection that comes to its end after nobody waits for it any more.
    jest.spyOn(console, 'error').mockImplementation(() => undefined);
    database = await createTestDatabase(engine);
    proxy = await TcpProxy.before(database.url);
  });
  beforeEach(async () => {
    await registry?.close();
    await proxy.stop();
    proxy.answerAgain();
    await proxy.start();
    registry = new ShardRegistry({
      shards: [
        { id: 'shaky', url: proxy.through(database.url) },
        { id: 'steady', url: 'sqlite::memory:' },
      ],
      ormOptions: ({ url }) => ormOptions(url, { entities: weatherModel, logger: () => undefined }, { max: POOL }),
      patience: { connectMs: CONNECT_MS, answerMs: ANSWER_MS, failures: 2, pauseMs: PAUSE_MS },
    });
    await runInSystemFrame('schema', () => registry.get('shaky').schema.refresh());
    await registry.get('steady').schema.create();
  });
  afterAll(async () => {
    await registry?.close();
    await proxy?.stop();
    await database?.drop();
    jest.restoreAllMocks();
  });

  return {
    get proxy() {
      return proxy;
    },
    async comeBackSilent() {
      await proxy.stop();
      proxy.hang();
      await proxy.start();
      // The pool has to hear that what it holds is broken, or it hands that out first.
      await sleep(30);
    },
    em: (id = 'shaky') => registry.entityManager(id),
    count: (id = 'shaky') => timed(() => registry.entityManager(id).count(Location)),
    ping: () => registry.ping('shaky', 1000),
    figures: () => registry.figures().find(({ id }) => id === 'shaky'),
  };
}

describe('a shard of a server', () => {
  eachEngine(
    (engine) => {
      const shard = aShardBehindAProxy(engine);
      const insert = async (id: number) => {
        const em = shard.em();
        em.create(Location, { id, continent: 'asia' });
        await em.flush();
      };

      it('is named when it is away, on every way to it', async () => {
        await shard.proxy.stop();
        const em = shard.em();
        const calls: (() => Promise<unknown>)[] = [
          () => em.count(Location),
          () => em.find(Location, {}),
          () => em.begin(),
          () => em.execute('select 1'),
          () => sql`select 1`.execute(em.getKysely()),
          () => insert(1),
        ];
        for (const call of calls) {
          expect(await timed(call)).toMatchObject({
            error: { code: 'shard_unavailable', shardId: 'shaky', retryAfterSeconds: 1 },
          });
        }
        expect((await timed(() => em.find(Location, {}))).error).toBeInstanceOf(ShardUnavailableError);
        expect(await shard.count('steady')).toMatchObject({ value: 0 });
      });

      it('is named when it goes away in the middle of a transaction, which leaves nothing', async () => {
        const em = shard.em();
        const { error } = await timed(() =>
          em.transactional(async (own) => {
            own.create(Location, { id: 7, continent: 'asia' });
            await own.flush();
            shard.proxy.cut();
            await own.count(Location);
          }),
        );
        expect(error).toMatchObject({ code: 'shard_unavailable', shardId: 'shaky' });
        expect(await shard.count()).toMatchObject({ value: 0 });
      });

      it('leaves an error of the statement what it is, and does not take it for a failure', async () => {
        for (let i = 0; i < 4; i++) {
          const { error } = await timed(() => shard.em().execute('select nonsense from nowhere'));
          expect(error).not.toBeInstanceOf(ShardUnavailableError);
        }
        expect(await shard.count()).toMatchObject({ value: 0 });
      });

      it('costs the time for an answer and no more when it hangs, in a transaction too', async () => {
        const em = shard.em();
        await em.begin();
        shard.proxy.hang();
        const { error, ms } = await timed(() => em.count(Location));
        expect(error).toMatchObject({ code: 'shard_unavailable', message: expect.stringContaining('300 ms') });
        expect(ms).toBeGreaterThan(ANSWER_MS - 10);
        expect(ms).toBeLessThan(ANSWER_MS + 300);
        // Its connection is cut off: there is nothing to wait for any more.
        const rollback = await timed(() => em.rollback());
        expect(rollback.ms).toBeLessThan(ANSWER_MS / 2);
      });

      it('costs the time to connect and no more when it accepts and says nothing', async () => {
        await shard.comeBackSilent();
        const { error, ms } = await timed(() => insert(1));
        expect(error).toBeInstanceOf(ShardUnavailableError);
        expect(ms).toBeGreaterThan(CONNECT_MS - 50);
        expect(ms).toBeLessThan(CONNECT_MS + 300);
      });

      it('is left alone after some failures, at once and for everybody, and says for how long', async () => {
        await shard.comeBackSilent();
        await Promise.all([shard.count(), shard.count()]);
        const refused = await Promise.all([shard.count(), shard.count(), shard.count()]);
        for (const { error, ms } of refused) {
          expect(error).toMatchObject({ message: expect.stringContaining('left alone'), retryAfterSeconds: 1 });
          expect(ms).toBeLessThan(50);
        }
        expect(await shard.count('steady')).toMatchObject({ value: 0 });
      });

      it('is not taken for silent by those who wait for a connection, however long', async () => {
        const held = Array.from({ length: POOL }, () => shard.em());
        await Promise.all(held.map((em) => em.begin()));
        const waiting = Array.from({ length: 4 }, () => shard.count());
        await sleep(1.5 * CONNECT_MS);
        await Promise.all(held.map((em) => em.rollback()));
        for (const { value, ms } of await Promise.all(waiting)) {
          expect(value).toBe(0);
          expect(ms).toBeGreaterThan(CONNECT_MS);
        }
        expect(shard.figures()).toMatchObject({ circuit: 'closed', connectionsInUse: 0 });
      });

      it('has figures: statements, errors, connections in use, and whether callers get through', async () => {
        const { statements = 0, errors = 0 } = shard.figures() ?? {};
        const em = shard.em();
        await em.begin();
        await em.count(Location);
        expect(shard.figures()?.connectionsInUse).toBe(1);
        await em.rollback();
        await timed(() => shard.em().execute('select nonsense from nowhere'));
        const after = shard.figures();
        expect(after).toMatchObject({ errors: errors + 1, connectionsInUse: 0, circuit: 'closed' });
        expect(after?.statements).toBeGreaterThanOrEqual(statements + 3);
        await shard.proxy.stop();
        await Promise.all([shard.count(), shard.count()]);
        expect(shard.figures()).toMatchObject({ circuit: 'open', connectionsInUse: 0 });
        await sleep(PAUSE_MS + 20);
        expect(shard.figures()).toMatchObject({ circuit: 'half-open' });
      });

      it('sends one caller to try after a pause, and the others away', async () => {
        await shard.comeBackSilent();
        await Promise.all([shard.count(), shard.count()]);
        await sleep(PAUSE_MS + 20);
        const tries = await Promise.all([shard.count(), shard.count(), shard.count(), shard.count()]);
        expect(tries.every(({ error }) => error instanceof ShardUnavailableError)).toBe(true);
        expect(tries.filter(({ ms }) => ms > CONNECT_MS / 2)).toHaveLength(1);
      });

      it('is back by itself once it answers again, with every place of its pool', async () => {
        await insert(1);
        const held = Array.from({ length: POOL }, () => shard.em());
        await Promise.all(held.map((em) => em.begin()));
        shard.proxy.hang();
        await Promise.all(held.map((em) => timed(() => em.count(Location))));
        await Promise.all(held.map((em) => timed(() => em.rollback())));
        expect((await shard.count()).error).toBeInstanceOf(ShardUnavailableError);
        shard.proxy.answerAgain();
        await sleep(PAUSE_MS + 20);
        expect(await shard.count()).toMatchObject({ value: 1 });
        // As many transactions at once as the pool has places: none of them was lost to what hung.
        const again = Array.from({ length: POOL }, () => shard.em());
        await Promise.all(again.map((em) => em.begin()));
        await Promise.all(again.map((em) => em.commit()));
        expect(await shard.ping()).toMatchObject({ ok: true });
      });

      it('may take its time for work of the kit itself', async () => {
        const slow = () => shard.em().execute(`select ${engine.name === 'postgresql' ? 'pg_sleep' : 'sleep'}(0.5)`);
        await runInSystemFrame('a migration', slow);
        expect((await timed(slow)).error).toBeInstanceOf(ShardUnavailableError);
      });
    },
    ['postgresql', 'mysql', 'mariadb'],
  );
});
