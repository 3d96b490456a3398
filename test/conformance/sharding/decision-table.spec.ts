import { beforeEach, describe, expect, it } from '@jest/globals';
import { ormOptions } from '#libs/persistence';
import {
  assertAtomicReady,
  createShardedEntityManagerFactory,
  DECISION_TABLE_UPGRADE_DDL,
  type ShardId,
  ShardRegistry,
  TransactionRecoverer,
} from '#libs/sharding';
import { eachAtomicLayout } from './atomic-layouts.js';
import { weatherChoosers } from './layouts.js';
import { aTransaction, leaveBehind } from './left-branches.js';
import { Location, weatherModel } from './weather.model.js';

/** The table as it was before decisions named the places of their branches. */
const EARLIER_DDL =
  'create table shard_decision (' +
  'transaction_id varchar(32) not null primary key, decision varchar(8) not null, decided_at bigint not null)';

const HOUR_MS = 3_600_000;

describe('a table of decisions that an earlier version made', () => {
  eachAtomicLayout((suite) => {
    const transaction = aTransaction('shard-1');
    const decided = transaction.slice(3, 35);
    const run = (sql: string, id: ShardId = 'shard-1') => suite.registry.entityManager(id).execute(sql);
    const idsOf = async () => (await run('select transaction_id as id from shard_decision')).map(({ id }) => id);
    /** A process that has just been started: it has looked at no table yet. */
    const inNewProcess = async (work: (shards: ShardRegistry) => Promise<void>) => {
      const shards = new ShardRegistry({
        shards: suite.registry.ids.map((id) => suite.registry.definition(id)),
        ormOptions: ({ id, url }) => ormOptions(url, { ...suite.overridesOf(id), entities: weatherModel }, { max: 3 }),
      });
      await work(shards).finally(() => shards.close());
    };
    const commitOn = async (shards: ShardRegistry, firstId: number) => {
      const em = createShardedEntityManagerFactory({ shards, ...weatherChoosers(shards.ids) }).create();
      em.create(Location, { id: firstId, continent: 'north_america' });
      em.create(Location, { id: firstId + 1, continent: 'asia' });
      await em.flush({ mode: 'atomic', homeShard: 'shard-1' });
    };

    beforeEach(async () => {
      await run('drop table if exists shard_decision');
      await run(EARLIER_DDL);
      await run(`insert into shard_decision values ('${decided}', 'commit', ${Date.now() - HOUR_MS})`);
    });

    it('is brought up to date by the first transaction, and keeps what was decided', async () => {
      await inNewProcess(async (shards) => {
        await commitOn(shards, 1);
        expect(await suite.create().count(Location)).toBe(2);
        const rows = await run('select decision, places from shard_decision order by decided_at');
        expect(rows).toEqual([
          { decision: 'commit', places: '' },
          { decision: 'commit', places: expect.stringMatching(/^shard-2\./) },
        ]);
      });
    });

    it('is brought up to date by a start that asks for it, also of several processes at once', async () => {
      await inNewProcess((one) =>
        inNewProcess((other) =>
          inNewProcess(async (third) => {
            await Promise.all([one, other, third].map((shards) => assertAtomicReady(shards, ['shard-1'])));
          }),
        ),
      );
      expect(await run('select places from shard_decision')).toEqual([{ places: '' }]);
      await expect(run(DECISION_TABLE_UPGRADE_DDL)).rejects.toThrow(/places/);
    });

    it('goes on taking decisions of a process of the earlier version', async () => {
      await inNewProcess((shards) => assertAtomicReady(shards));
      const sql = 'insert into shard_decision (transaction_id, decision, decided_at)';
      await run(`${sql} values ('${'f'.repeat(32)}', 'rollback', ${Date.now()})`);
      expect(await idsOf()).toHaveLength(2);
    });

    it('decides about a branch that is still prepared, and forgets a decision without places later than others', async () => {
      await leaveBehind(suite, 'shard-2', 7, { transaction });
      await inNewProcess(async (shards) => {
        const recover = (keepRefusalsMs: number) =>
          new TransactionRecoverer({ shards, graceMs: 0, keepDecisionsMs: 0, keepRefusalsMs }).recover();
        for (let tries = 0; (await recover(2 * HOUR_MS)).inDoubt > 0; tries++) {
          if (tries > 200) throw new Error('A branch stays in doubt.');
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        expect(await suite.registry.entityManager('shard-2').count(Location, { id: 7 })).toBe(1);
        expect(await recover(2 * HOUR_MS)).toMatchObject({ inDoubt: 0, missing: [] });
        expect(await idsOf()).toEqual([decided]);
        await recover(HOUR_MS / 2);
        expect(await idsOf()).toEqual([]);
      });
    });
  });
});
