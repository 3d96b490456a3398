import { afterEach, describe, expect, it } from '@jest/globals';
import { ormOptions } from '#libs/persistence';
import { createShardedEntityManagerFactory, type ShardId, ShardRegistry, TransactionRecoverer } from '#libs/sharding';
import { eachAtomicLayout } from './atomic-layouts.js';
import { weatherChoosers } from './layouts.js';
import { aTransaction, leaveBehind, placeOf } from './left-branches.js';
import { Location, weatherModel } from './weather.model.js';

const HOUR_MS = 3_600_000;

describe('the recoverer', () => {
  eachAtomicLayout((suite) => {
    const recover = (graceMs = 0) => new TransactionRecoverer({ shards: suite.registry, graceMs }).recover();
    const has = async (shard: ShardId, id: number) =>
      (await suite.registry.entityManager(shard).count(Location, { id })) === 1;
    const decisions = (shard: ShardId) =>
      suite.registry
        .entityManager(shard)
        .execute<{ transaction_id: string; decision: string }[]>('select transaction_id, decision from shard_decision');
    /** Rolls a branch on shard-2 back by hand, as soon as its session is gone. */
    const undo = async (transaction: string, database: string) => {
      const branch = placeOf(suite, 'shard-2', database);
      const isPostgresql = suite.registry.definition('shard-2').url.startsWith('postgresql');
      const sql = isPostgresql
        ? `rollback prepared '${transaction}/${branch}'`
        : `xa rollback '${transaction}', '${branch}'`;
      for (let tries = 0; ; tries++) {
        const failure = await suite.registry
          .get('shard-2')
          .driver.getConnection('write')
          .execute(sql)
          .then(
            () => undefined,
            (error: unknown) => error,
          );
        if (failure === undefined) return;
        if (tries > 200) throw failure;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    /** Until the server has seen that a session is gone. */
    const untilNothingIsInDoubt = async () => {
      for (let tries = 0; (await recover()).inDoubt > 0; tries++) {
        if (tries > 200) throw new Error('Branches stay in doubt.');
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };

    afterEach(untilNothingIsInDoubt);

    it('commits what is decided, rolls back what is not, and keeps the refusal', async () => {
      // Makes the table of decisions.
      await suite.create().transactional(
        async (em) => {
          await em.insertMany(Location, [
            { id: 90, continent: 'north_america' },
            { id: 91, continent: 'asia' },
          ]);
        },
        { mode: 'atomic', homeShard: 'shard-1' },
      );
      const [decided, undecided] = [aTransaction('shard-1'), aTransaction('shard-1')];
      const places = `${placeOf(suite, 'shard-2')} ${placeOf(suite, 'shard-3')}`;
      await suite.registry
        .entityManager('shard-1')
        .execute(`insert into shard_decision values ('${decided.slice(3, 35)}', 'commit', ${Date.now()}, '${places}')`);
      await leaveBehind(suite, 'shard-2', 1, { transaction: decided });
      await leaveBehind(suite, 'shard-3', 2, { transaction: decided });
      await leaveBehind(suite, 'shard-2', 3, { transaction: undecided });
      await untilNothingIsInDoubt();
      expect([await has('shard-2', 1), await has('shard-3', 2), await has('shard-2', 3)]).toEqual([true, true, false]);
      expect(await decisions('shard-1')).toContainEqual({
        transaction_id: undecided.slice(3, 35),
        decision: 'rollback',
      });
    });

    it('leaves a branch without a decision to its process for a while, and tells its age', async () => {
      await leaveBehind(suite, 'shard-2', 1, { transaction: aTransaction('shard-1') });
      const patient = new TransactionRecoverer({ shards: suite.registry, graceMs: HOUR_MS });
      expect(await patient.recover()).toMatchObject({ committed: 0, rolledBack: 0, inDoubt: 1, missing: [] });
      expect(patient.figures()).toContainEqual({ id: 'shard-2', branches: 1, oldestMs: expect.any(Number) });
      expect(patient.figures().find(({ id }) => id === 'shard-2')?.oldestMs).toBeLessThan(HOUR_MS);
    });

    it('touches no branch of another deployment or of anybody else', async () => {
      const foreign = { transaction: aTransaction('shard-1'), database: 'of somebody else' };
      await leaveBehind(suite, 'shard-2', 1, foreign);
      expect(await recover()).toMatchObject({ rolledBack: 0, inDoubt: 0 });
      // It is there still, or this would fail.
      await undo(foreign.transaction, foreign.database);
    });

    it('leaves in doubt, and names, what has a home shard that nobody knows', async () => {
      const errors: unknown[] = [];
      const transaction = aTransaction('gone');
      await leaveBehind(suite, 'shard-2', 1, { transaction });
      const onError = (error: unknown) => errors.push(error);
      const recovery = await new TransactionRecoverer({ shards: suite.registry, graceMs: 0, onError }).recover();
      // Nobody else would.
      await undo(transaction, String(suite.registry.get('shard-2').config.get('dbName')));
      expect(recovery).toMatchObject({ rolledBack: 0, inDoubt: 1 });
      expect(errors).toMatchObject([{ code: 'unknown_shard', shardId: 'gone' }]);
    });

    it('that comes first keeps a transaction of another process from committing, on every shard', async () => {
      const shards = new ShardRegistry({
        shards: suite.registry.ids.map((id) => suite.registry.definition(id)),
        ormOptions: ({ id, url }) => ormOptions(url, { ...suite.overridesOf(id), entities: weatherModel }, { max: 3 }),
      });
      try {
        const em = createShardedEntityManagerFactory({ shards, ...weatherChoosers(shards.ids) }).create();
        em.create(Location, { id: 1, continent: 'north_america' });
        em.create(Location, { id: 2, continent: 'asia' });
        const connection = shards.get('shard-1').driver.getConnection('write');
        const execute = connection.execute.bind(connection);
        let recovered: unknown;
        connection.execute = (async (sql: string, ...rest: unknown[]) => {
          // Prepared everywhere, and not decided: the slowest moment of a process that has stopped for a while.
          if (String(sql).startsWith('insert into shard_decision')) recovered = await recover();
          return (execute as (...args: unknown[]) => Promise<unknown>)(sql, ...rest);
        }) as typeof connection.execute;
        await expect(em.flush({ mode: 'atomic', homeShard: 'shard-1' })).rejects.toThrow(/unique|duplicate/i);
        expect(recovered).toMatchObject({ committed: 0 });
        expect([await has('shard-1', 1), await has('shard-2', 2)]).toEqual([false, false]);
      } finally {
        await shards.close();
      }
    });

    it('looks when it is started and from then on, until it is stopped', async () => {
      const recoverer = new TransactionRecoverer({ shards: suite.registry, graceMs: 0, intervalMs: 10 });
      const isDone = async () => {
        for (
          let tries = 0;
          recoverer.figures().length < 3 || recoverer.figures().some((it) => it.branches > 0);
          tries++
        ) {
          if (tries > 500) throw new Error('Nobody looks.');
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      };
      recoverer.start();
      await isDone();
      // After its first look.
      await leaveBehind(suite, 'shard-2', 1, { transaction: aTransaction('shard-1') });
      for (let tries = 0; (await decisions('shard-1')).length === 0; tries++) {
        if (tries > 500) throw new Error('Nobody looks.');
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await isDone();
      await recoverer.stop();
      const figures = recoverer.figures();
      await leaveBehind(suite, 'shard-2', 2, { transaction: aTransaction('shard-1') });
      expect(recoverer.figures()).toEqual(figures);
      expect(await has('shard-2', 1)).toBe(false);
    });

    it('does together with others what one does alone: each branch is finished once', async () => {
      for (const id of [1, 2, 3]) await leaveBehind(suite, 'shard-2', id, { transaction: aTransaction('shard-1') });
      let finished = 0;
      for (let tries = 0; finished < 3 && tries < 200; tries++) {
        const results = await Promise.all([recover(), recover(), recover()]);
        finished += results.reduce((sum, { rolledBack, committed }) => sum + rolledBack + committed, 0);
      }
      expect(finished).toBe(3);
      expect(await recover()).toMatchObject({ rolledBack: 0, committed: 0, inDoubt: 0 });
    });

    it('forgets decisions of which no branch is left, and no others', async () => {
      const em = suite.create({ mode: 'atomic' });
      em.create(Location, { id: 1, continent: 'north_america' });
      em.create(Location, { id: 2, continent: 'asia' });
      await em.flush({ homeShard: 'shard-1' });
      const kept = aTransaction('shard-1');
      const sql = `insert into shard_decision values ('${kept.slice(3, 35)}', 'rollback', ${Date.now()}, '')`;
      await suite.registry.entityManager('shard-1').execute(sql);
      const tidy = (keepRefusalsMs: number) =>
        new TransactionRecoverer({ shards: suite.registry, keepDecisionsMs: -1000, keepRefusalsMs }).recover();
      await tidy(HOUR_MS);
      const left = await decisions('shard-1');
      expect(left.filter(({ decision }) => decision === 'commit')).toEqual([]);
      expect(left).toContainEqual({ transaction_id: kept.slice(3, 35), decision: 'rollback' });
      await tidy(-1000);
      expect(await decisions('shard-1')).toEqual([]);
    });

    it('keeps a decision while a branch may be prepared on a shard that only other processes know', async () => {
      const em = suite.create({ mode: 'atomic' });
      em.create(Location, { id: 1, continent: 'north_america' });
      em.create(Location, { id: 2, continent: 'asia' });
      // The second shard can be told nothing: its branch stays prepared.
      const connection = suite.registry.get('shard-2').driver.getConnection('write');
      const { commit } = connection;
      connection.commit = () => Promise.reject(new Error('cut off'));
      await em.flush({ homeShard: 'shard-1' }).finally(() => {
        connection.commit = commit;
      });
      expect(await decisions('shard-1')).toMatchObject([{ decision: 'commit' }]);
      // A process of before or after a change of `SHARDS`, which looks at the home shard.
      const shards = new ShardRegistry({
        shards: ['shard-1', 'shard-3'].map((id) => suite.registry.definition(id)),
        ormOptions: ({ id, url }) => ormOptions(url, { ...suite.overridesOf(id), entities: weatherModel }, { max: 3 }),
      });
      const tidy = (registry: ShardRegistry) =>
        new TransactionRecoverer({ shards: registry, keepDecisionsMs: -1000, graceMs: 0 }).recover();
      try {
        expect(await tidy(shards)).toMatchObject({ inDoubt: 0, missing: [] });
        expect(await decisions('shard-1')).toMatchObject([{ decision: 'commit' }]);
      } finally {
        await shards.close();
      }
      await untilNothingIsInDoubt();
      expect(await has('shard-2', 2)).toBe(true);
      await tidy(suite.registry);
      expect(await decisions('shard-1')).toEqual([]);
    });
  });
});
