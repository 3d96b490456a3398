import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DEMO_OPERATOR } from '#apps/api';
import { runInContext } from '#libs/context';
import { ChangeNotices } from '#libs/persistence';
import { TenantDomains } from '#libs/tenancy';
import { createTestDatabase, eachEngine, type TestDatabase, type TestEngine } from '#libs/testing';
import { ApiClient, logIn, type SignedUpTenant, signUp, withToken } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

const REDIS_URL = process.env.TEST_REDIS_URL ?? 'redis://127.0.0.1:6379/5';
const NEVER_MS = '30000';

function isRedisThere(): Promise<boolean> {
  const { hostname, port } = new URL(REDIS_URL);
  const socket = connect(Number(port || 6379), hostname);
  return new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy());
}

const redisIsThere = await isRedisThere();

/**
 * Two applications on the same databases stand for two processes of one deployment. Each has answered the tenant's
 * requests before, so that it keeps what it knows; then one changes something, and the other is asked.
 */
function twoProcesses(engine: TestEngine, ways: Readonly<Record<string, Record<string, string>>>): void {
  describe.each(Object.entries(ways))('%s', (way, environment) => {
    let folder: string;
    let database: TestDatabase;
    let here: TestApp;
    let there: TestApp;
    let operator: ApiClient;
    let count = 0;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'rowhouse-two-'));
      database = await createTestDatabase(engine);
      const shared = {
        CENTRAL_URL: database.url,
        SHARDS: `shard-1=sqlite:${join(folder, 'shard.sqlite')}`,
        JWT_SECRET: 'f3Q9rL0vXw2mZt7yKc5bNh8jUa1sEd4g',
        ...environment,
      };
      here = await startTestApp(shared);
      there = await startTestApp(shared);
      operator = withToken(here.app, await logIn(here.app, DEMO_OPERATOR.email, DEMO_OPERATOR.password));
    });
    afterAll(async () => {
      await Promise.all([here.close(), there.close()]);
      await database.drop();
      rmSync(folder, { recursive: true, force: true });
    });

    const aTenant = async (): Promise<SignedUpTenant & { key: string; refreshToken: string }> => {
      const tenant = await signUp(here.app, `tenant-${++count}-${way.length}`);
      const { body } = await tenant.owner.call('/v1/api-keys', {
        body: { name: 'k', permissions: ['catalogue:read'] },
      });
      const login = { email: tenant.email, password: tenant.password };
      const { body: session } = await new ApiClient(here.app).call('/v1/auth/login', { body: login });
      return { ...tenant, key: body.key, refreshToken: session.refreshToken };
    };
    let isOver = false;
    beforeEach(() => {
      isOver = false;
    });
    afterEach(() => {
      isOver = true;
    });
    /** Asks the other process until the answer is the expected one; a case in which that never comes runs out of time. */
    const until = async (status: number, ask: () => Promise<{ status: number }>) => {
      // A request that needs no I/O comes back without letting timers run: without this, a broken case hangs and never fails.
      while (!isOver) {
        if ((await ask()).status === status) return;
        await nextTurn();
      }
    };
    const elsewhere = (headers: Record<string, string>) => new ApiClient(there.app, headers);
    const list = (client: ApiClient) => () => client.call('/v1/products');

    it('refuses a suspended tenant in the other process, by token, key and refresh, and serves it again', async () => {
      const tenant = await aTenant();
      const [person, machine] = [
        elsewhere({ authorization: `Bearer ${tenant.token}` }),
        elsewhere({ 'x-api-key': tenant.key }),
      ];
      for (const client of [person, machine]) expect((await client.call('/v1/products')).status).toBe(200);
      const change = (status: string) =>
        operator.call(`/v1/platform/tenants/${tenant.slug}`, { method: 'PATCH', body: { status } });
      await change('suspended');
      await until(403, list(person));
      expect((await machine.call('/v1/products')).body.code).toBe('tenant_suspended');
      const refreshed = await elsewhere({}).call('/v1/auth/refresh', { body: { refreshToken: tenant.refreshToken } });
      expect(refreshed.body.code).toBe('tenant_suspended');
      await change('active');
      await until(200, list(person));
    });

    it('refuses a session that was ended, and a key that was removed, in the other process', async () => {
      const tenant = await aTenant();
      const [person, machine] = [
        elsewhere({ authorization: `Bearer ${tenant.token}` }),
        elsewhere({ 'x-api-key': tenant.key }),
      ];
      for (const client of [person, machine]) expect((await client.call('/v1/products')).status).toBe(200);
      const { body } = await tenant.owner.call('/v1/api-keys');
      await tenant.owner.call(`/v1/api-keys/${body.data[0].id}`, { method: 'DELETE' });
      await until(401, list(machine));
      expect((await person.call('/v1/products')).status).toBe(200);
      await tenant.owner.call('/v1/auth/logout', { method: 'POST' });
      await until(401, list(person));
    });

    it('knows a role that was changed, and a member who was taken out, in the other process', async () => {
      const tenant = await aTenant();
      const person = { email: `m@${tenant.slug}.example`, password: 'long enough', name: 'M' };
      const { body: member } = await tenant.owner.call('/v1/members', { body: { ...person, role: 'viewer' } });
      const token = await logIn(here.app, person.email, person.password);
      const client = elsewhere({ authorization: `Bearer ${token}` });
      const write = () => client.call('/v1/products', { body: {} });
      expect((await write()).status).toBe(403);
      await tenant.owner.call(`/v1/members/${member.id}`, { method: 'PATCH', body: { role: 'member' } });
      await until(400, write);
      await tenant.owner.call(`/v1/members/${member.id}`, { method: 'DELETE' });
      await until(401, list(client));
    });

    if (environment.REDIS_URL) {
      it('delivers what is sent and never written down', async () => {
        const heard = new Promise((resolve) => there.app.get(ChangeNotices).listen('news', resolve));
        here.app.get(ChangeNotices).send({ topic: 'news', key: 'of the day' });
        expect(await heard).toBe('of the day');
      });
    }

    it('takes a domain for whose it has become, in the other process', async () => {
      const tenant = await aTenant();
      const other = await aTenant();
      const host = `shop.${tenant.slug}.test`;
      const client = elsewhere({ authorization: `Bearer ${other.token}`, host });
      expect((await client.call('/v1/products')).status).toBe(200);
      await runInContext({}, async () => {
        const domains = here.app.get(TenantDomains);
        const { challenge } = await domains.add(tenant.id, host);
        await domains.verify(tenant.id, host, async () => [[challenge]]);
      });
      await until(403, list(client));
    });
  });
}

describe('what one process keeps and another changes', () => {
  eachEngine((engine) => {
    // Without Redis the table is asked; with it the table is out of the way, so that only Redis can have told.
    twoProcesses(engine, {
      'told by the table': { CACHE_CHECK_MS: '50' },
      // Redis knows nothing of engines.
      ...(redisIsThere && engine.name === 'sqlite' && { 'told by Redis': { REDIS_URL, CACHE_CHECK_MS: NEVER_MS } }),
    });
    if (!redisIsThere && engine.name === 'sqlite') it.skip('told by Redis: not covered, no Redis answers', () => {});
  });
});
