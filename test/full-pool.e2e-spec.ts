import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runInSystemFrame } from '#libs/persistence';
import { ShardRegistry } from '#libs/sharding';
import { createTestDatabase, eachEngine, type TestDatabase } from '#libs/testing';
import { type ApiClient, logIn, withToken } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

const operator = { email: 'olli@platform.example', password: 'a password of the operator' };
const REQUESTS = 6;

describe('a shard whose pool is full', () => {
  eachEngine(
    (engine) => {
      let folder: string;
      let database: TestDatabase;
      let test: TestApp;
      let shards: ShardRegistry;
      let busy: ApiClient;
      let calm: ApiClient;

      const tenantOn = async (operators: ApiClient, shard: string): Promise<ApiClient> => {
        const email = `owner@${shard}.example`;
        const password = `password of ${shard}`;
        const owner = { email, password, name: 'Olga' };
        const body = { slug: shard, name: shard, owner, placement: { strategy: 'row', shard } };
        const { status } = await operators.call('/v1/platform/tenants', { body });
        if (status !== 201) throw new Error(`Sign-up answered ${status}.`);
        return withToken(test.app, await logIn(test.app, email, password));
      };
      const circuit = () => shards.figures().find(({ id }) => id === 'busy-shard')?.circuit;
      const products = (tenant: ApiClient) => tenant.call('/v1/products');

      beforeAll(async () => {
        folder = mkdtempSync(join(tmpdir(), 'rowhouse-pool-'));
        database = await createTestDatabase(engine);
        test = await startTestApp({
          SHARDS: `busy-shard=${database.url},calm-shard=sqlite:${join(folder, 'calm.sqlite')}`,
          POOL_MAX: '1',
          SHARD_TIMEOUT_MS: '400',
          OPERATOR_EMAIL: operator.email,
          OPERATOR_PASSWORD: operator.password,
        });
        shards = test.app.get(ShardRegistry);
        const operators = withToken(test.app, await logIn(test.app, operator.email, operator.password));
        busy = await tenantOn(operators, 'busy-shard');
        calm = await tenantOn(operators, 'calm-shard');
      });
      afterAll(async () => {
        await test?.close();
        await database?.drop();
        rmSync(folder, { recursive: true, force: true });
      });

      /** Runs `work` while one transaction has the only connection. */
      const whileHeld = async <T>(work: () => Promise<T>): Promise<T> => {
        const connection = shards.get('busy-shard').driver.getConnection();
        const transaction = await runInSystemFrame('hold the connection', () => connection.begin());
        try {
          return await work();
        } finally {
          await runInSystemFrame('let it go', () => connection.rollback(transaction));
        }
      };

      it('answers 503 in time to who found no connection, and says when to try again', async () => {
        const answers = await whileHeld(() => Promise.all(Array.from({ length: REQUESTS }, () => products(busy))));
        for (const answer of answers) {
          expect(answer).toMatchObject({ status: 503, body: { code: 'shard_unavailable' } });
          expect(answer.body.detail).toMatch(/^Too many requests wait/);
          expect(answer.headers['retry-after']).toBe('1');
        }
      });

      it('is not taken for a shard that is away: the next request is served', async () => {
        await whileHeld(() => Promise.all(Array.from({ length: REQUESTS }, () => products(busy))));
        expect(circuit()).toBe('closed');
        expect((await products(busy)).status).toBe(200);
      });

      it('serves who waits as soon as there is a connection', async () => {
        let waiting: ReturnType<typeof products>[] = [];
        await whileHeld(async () => {
          waiting = Array.from({ length: REQUESTS }, () => products(busy));
          await products(calm);
        });
        expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(Array(REQUESTS).fill(200));
      });

      it('costs the tenants of another shard nothing', async () => {
        const served = await whileHeld(() => Promise.all(Array.from({ length: REQUESTS }, () => products(calm))));
        expect(served.map(({ status }) => status)).toEqual(Array(REQUESTS).fill(200));
      });
    },
    ['sqlite', 'postgresql', 'mariadb'],
  );
});
