import { channel } from 'node:diagnostics_channel';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { EntityClass } from '@mikro-orm/core';
import { tenantEntities } from '#apps/api';
import { runAs } from '#libs/context';
import { CurrentEntityManager, findLocked } from '#libs/persistence';
import { TenantStore } from '#libs/tenancy';
import { createTestDatabase, eachEngine } from '#libs/testing';
import { ApiClient, signUp } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

interface Purse {
  readonly id: string;
  deposit(amount: number): void;
}
const Wallet = tenantEntities.find(({ name }) => name === 'Wallet') as EntityClass<Purse>;

describe('GET /metrics', () => {
  const running: TestApp[] = [];
  const start = async (environment: Record<string, string> = {}) => {
    const test = await startTestApp(environment);
    running.push(test);
    return new ApiClient(test.app);
  };
  const appOf = () => (running[0] as TestApp).app;
  afterEach(async () => {
    await Promise.all(running.splice(0).map((it) => it.close()));
  });

  const token = 'f3Q9rL0vXw2mZt7yKc5bNh8j';
  const production = { NODE_ENV: 'production', JWT_SECRET: `${token}${token}` };

  it('counts requests by method, route pattern and status, and tells how long they took', async () => {
    const anonymous = await start();
    const { owner } = await signUp(appOf(), 'acme');
    await owner.call('/v1/products');
    await owner.call('/v1/products');
    await owner.call('/v1/products/019aa000-0000-7000-8000-000000000000');
    await anonymous.call('/v1/products?name=canary-in-the-query');
    await anonymous.call('/no/such/canary-in-the-path');
    const { status, headers, text } = await anonymous.call('/metrics');
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    const counted = [...text.matchAll(/^http_request_duration_seconds_count\{(.*)\} (\d+)$/gm)].map(
      ([, labels, count]) => `${labels} ${count}`,
    );
    expect(counted).toContain('method="GET",route="/v1/products",status="200" 2');
    expect(counted).toContain('method="GET",route="/v1/products",status="401" 1');
    expect(counted).toContain('method="GET",route="/v1/products/:id",status="404" 1');
    expect(counted).toContain('method="GET",route="unmatched",status="404" 1');
    expect(text).toMatch(/^http_request_duration_seconds_bucket\{le="10",method="GET",route="\/v1\/products".* 2$/m);
    expect(text).toMatch(/^process_resident_memory_bytes \d+/m);
    expect(text).not.toMatch(/canary|acme|tenant=/);
  });

  it('tells of every shard whether it answers, what it has done and whether callers get through', async () => {
    const { text } = await (await start()).call('/metrics');
    for (const shard of ['shard-1', 'shard-2']) {
      expect(text).toContain(`rowhouse_shard_up{shard="${shard}"} 1`);
      expect(text).toMatch(new RegExp(`^rowhouse_shard_statements_total\\{shard="${shard}"\\} [1-9]`, 'm'));
      expect(text).toContain(`rowhouse_shard_errors_total{shard="${shard}"} 0`);
      expect(text).toContain(`rowhouse_shard_connections_in_use{shard="${shard}"} 0`);
      expect(text).toContain(`rowhouse_shard_circuit{shard="${shard}",state="closed"} 1`);
      expect(text).toContain(`rowhouse_shard_circuit{shard="${shard}",state="open"} 0`);
      expect(text).toMatch(new RegExp(`^rowhouse_shard_ping_seconds\\{shard="${shard}"\\} [\\d.e-]+$`, 'm'));
    }
  });

  it('counts transactions that were begun again, until the application closes', async () => {
    const client = await start();
    const retries = channel('rowhouse:transaction:retry');
    retries.publish({ attempt: 1, pauseMs: 0, error: new Error('deadlock') });
    expect((await client.call('/metrics')).text).toContain('rowhouse_transaction_retries_total 1');
    await running.pop()?.close();
    expect(retries.hasSubscribers).toBe(false);
  });

  eachEngine(
    (engine) => {
      it('counts a deadlock that the database has broken, and loses nothing by it', async () => {
        const databases = [await createTestDatabase(engine), await createTestDatabase(engine)];
        try {
          const [central, shard] = databases.map(({ url }) => String(url));
          const client = await start({ CENTRAL_URL: String(central), SHARDS: `shard-1=${shard}` });
          const acme = await signUp(appOf(), 'acme');
          const tenant = await appOf().get(TenantStore).getBySlug('acme');
          const entityManager = appOf().get(CurrentEntityManager);
          const open = async () =>
            (await acme.owner.call('/v1/wallets', { body: { currency: 'EUR' } })).body.id as string;
          const [one, other] = [await open(), await open()];
          expect((await client.call('/metrics')).text).toContain('rowhouse_transaction_retries_total 0');
          // Each holds what the other wants next; one of them has to be begun again.
          let alone = 2;
          const met = Promise.withResolvers<void>();
          const deposit = (ids: readonly string[]) =>
            runAs({ tenant, actor: { id: 'spec', type: 'user' } }, () =>
              entityManager.transactional(async (em) => {
                for (const id of ids) {
                  const [wallet] = await findLocked(em, Wallet, { id });
                  wallet?.deposit(1);
                  if (--alone === 0) met.resolve();
                  await met.promise;
                }
              }),
            );
          await Promise.all([deposit([one, other]), deposit([other, one])]);
          expect((await client.call('/metrics')).text).toMatch(/^rowhouse_transaction_retries_total [1-9]/m);
          const balances = [one, other].map(async (id) => (await acme.owner.call(`/v1/wallets/${id}`)).body.balance);
          expect(await Promise.all(balances)).toEqual([2, 2]);
        } finally {
          await Promise.all(running.splice(0).map((it) => it.close()));
          for (const database of databases) await database.drop();
        }
      });
      // The file of SQLite has one writer at a time: there is nobody to lock each other out with.
    },
    ['postgresql', 'mariadb', 'mysql'],
  );

  it('counts for its own application only', async () => {
    const [first, second] = [await start(), await start()];
    await first.call('/livez');
    expect((await first.call('/metrics')).text).toMatch(/route="\/livez",status="200"\} 1$/m);
    expect((await second.call('/metrics')).text).not.toContain('route="/livez"');
  });

  it('is not there in production, unless a token opens it', async () => {
    expect(await (await start(production)).call('/metrics')).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
    const opened = await start({ ...production, METRICS_TOKEN: token });
    for (const authorization of ['', token, 'Bearer', `Bearer ${token}x`, `bearer${token}`]) {
      const answer = await opened.call('/metrics', { headers: { authorization } });
      expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    }
    expect((await opened.call('/metrics')).status).toBe(401);
    const { status, text } = await opened.call('/metrics', { headers: { authorization: `Bearer ${token}` } });
    expect(status).toBe(200);
    expect(text).toContain('http_request_duration_seconds');
  });

  it('tells how full the pools are', async () => {
    const anonymous = await start();
    const { owner } = await signUp(appOf(), 'acme');
    await owner.call('/v1/products');
    const { text } = await anonymous.call('/metrics');
    for (const database of ['central', 'shard-1', 'shard-2']) {
      expect(text).toContain(`rowhouse_pool_connections{database="${database}",role="primary",state="max"} 1`);
      expect(text).toContain(`rowhouse_pool_connections{database="${database}",role="primary",state="in_use"} 0`);
      expect(text).toContain(`rowhouse_pool_connections{database="${database}",role="primary",state="timed_out"} 0`);
    }
  });
});
