import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { EntityClass } from '@mikro-orm/core';
import { tenantEntities } from '#apps/api';
import { runInContext } from '#libs/context';
import { beginBranch, keepBranch, newId, prepareBranch, runInSystemFrame } from '#libs/persistence';
import { AtomicUnsupportedError, createShardedEntityManagerFactory, ShardRegistry } from '#libs/sharding';
import { createTestDatabase, eachEngine, type TestDatabase } from '#libs/testing';
import { ApiClient } from './support/api-client.js';
import { type OwnServer, startOwnServer } from './support/own-server.js';
import { startTestApp } from './support/test-app.js';

jest.setTimeout(60_000);

const seed = { tenant: { id: randomUUID(), slug: 'spread' }, actor: { id: 'spec', type: 'system' } } as const;

describe('an application with the mode "atomic"', () => {
  eachEngine(
    (engine) => {
      const databases: TestDatabase[] = [];
      const shards = () => databases.map(({ url }, index) => `shard-${index + 1}=${url}`).join(',');

      beforeAll(async () => {
        for (let n = 0; n < 2; n++) databases.push(await createTestDatabase(engine));
      });
      afterAll(() => Promise.all(databases.map((database) => database.drop())));

      it('starts when every shard is ready for it, with a table of decisions on each', async () => {
        const test = await startTestApp({ SHARDS: shards(), SHARD_TRANSACTIONS: 'atomic' });
        try {
          const registry = test.app.get(ShardRegistry);
          for (const id of registry.ids) {
            const connection = registry.get(id).driver.getConnection('write');
            const read = () => connection.execute('select * from shard_decision');
            expect(await runInSystemFrame('look at decisions', read)).toEqual([]);
          }
        } finally {
          await test.close();
        }
      });

      it('commits what one unit of work of a tenant changes on several shards, behind the guard', async () => {
        const test = await startTestApp({ SHARDS: shards(), SHARD_TRANSACTIONS: 'atomic' });
        try {
          const registry = test.app.get(ShardRegistry);
          const Wallet = tenantEntities.find((it) => it.name === 'Wallet') as EntityClass<{ currency: string }>;
          const factory = createShardedEntityManagerFactory({
            shards: registry,
            mode: test.config.shardTransactions,
            shardChooser: (wallet) => ((wallet as { currency: string }).currency === 'EUR' ? 'shard-1' : 'shard-2'),
            identityChooser: () => registry.ids,
            executeChooser: () => registry.ids,
          });
          await runInContext(seed, async () => {
            const em = factory.create();
            em.create(Wallet, { currency: 'EUR' });
            em.create(Wallet, { currency: 'CNY' });
            await em.flush();
            const found = await factory.create().find(Wallet, {}, { orderBy: { currency: 'asc' } });
            expect(found.map(({ currency }) => currency)).toEqual(['CNY', 'EUR']);
          });
          const decisions = await runInSystemFrame('look at decisions', () =>
            registry.get('shard-1').driver.getConnection('write').execute('select decision from shard_decision'),
          );
          expect(decisions).toEqual([{ decision: 'commit' }]);
        } finally {
          await test.close();
        }
      });

      it('tells of a branch that a dead process has left and of its age, and finishes it by itself', async () => {
        const test = await startTestApp({ SHARDS: shards(), SHARD_TRANSACTIONS: 'atomic' });
        try {
          const registry = test.app.get(ShardRegistry);
          const dbName = String(registry.get('shard-2').config.get('dbName'));
          const name = {
            transaction: `rh.${newId().replaceAll('-', '')}.shard-1`,
            branch: `shard-2.${crc32(dbName).toString(16)}`,
          };
          await runInContext(seed, () =>
            runInSystemFrame('a process that dies', async () => {
              const em = registry.entityManager('shard-2');
              await beginBranch(em, name, () => em.begin());
              await prepareBranch(em);
              await keepBranch(em);
              await em.rollback();
            }),
          );
          const figures = async () => {
            const { text } = await new ApiClient(test.app).call('/metrics');
            const read = (name: string) =>
              Number(new RegExp(`^rowhouse_shard_in_doubt_${name}\\{shard="shard-2"\\} (\\S+)`, 'm').exec(text)?.[1]);
            return { branches: read('branches'), oldestSeconds: read('oldest_seconds') };
          };
          const until = async (count: number) => {
            for (let tries = 0; tries <= 300; tries++) {
              const found = await figures();
              if (found.branches === count) return found;
              await new Promise((resolve) => setTimeout(resolve, 100));
            }
            throw new Error(`There are ${(await figures()).branches} branches.`);
          };
          const { oldestSeconds } = await until(1);
          expect(oldestSeconds).toBeGreaterThan(0);
          expect(oldestSeconds).toBeLessThan(60);
          expect(await until(0)).toEqual({ branches: 0, oldestSeconds: 0 });
        } finally {
          await test.close();
        }
      });
    },
    ['postgresql', 'mariadb', 'mysql'],
  );

  describe('on a PostgreSQL that keeps no prepared transactions', () => {
    let server: OwnServer | undefined;

    beforeAll(async () => {
      server = await startOwnServer('postgresql', 'max_prepared_transactions=0');
    });
    afterAll(() => server?.stop());

    it('does not start, and says what to set; without the mode it does', async () => {
      if (!server) return;
      const Shards = `only=${server.url}`;
      const failure = await startTestApp({ SHARDS: Shards, SHARD_TRANSACTIONS: 'atomic' }).catch(
        (error: unknown) => error,
      );
      expect(failure).toBeInstanceOf(AtomicUnsupportedError);
      expect(String(failure)).toMatch(/"only" keeps no prepared transactions: max_prepared_transactions is 0/);
      await (await startTestApp({ SHARDS: Shards, SHARD_TRANSACTIONS: 'multi' })).close();
    });
  });
});
