import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createTestDatabase, eachEngine, type TestDatabase } from '#libs/testing';
import { type ApiClient, logIn, type SignedUpTenant, withToken } from './support/api-client.js';
import { TcpProxy } from './support/tcp-proxy.js';
import { startTestApp, type TestApp } from './support/test-app.js';

jest.setTimeout(30_000);

const operator = { email: 'olli@platform.example', password: 'a password of the operator' };
const TIMEOUT_MS = 400;
const SEARCH = '/v1/platform/search/products';

describe('one shard on a server, one in a file', () => {
  eachEngine(
    (engine) => {
      let folder: string;
      let database: TestDatabase;
      let proxy: TcpProxy;
      let test: TestApp;
      let operators: ApiClient;
      let near: SignedUpTenant;
      let far: SignedUpTenant;

      const tenantOn = async (shard: string, slug: string): Promise<SignedUpTenant> => {
        const email = `owner@${slug}.example`;
        const password = `password of ${slug}`;
        const { status, body } = await operators.call('/v1/platform/tenants', {
          body: { slug, name: slug, owner: { email, password, name: 'Olga' }, placement: { strategy: 'row', shard } },
        });
        if (status !== 201) throw new Error(`Sign-up answered ${status}: ${JSON.stringify(body)}`);
        const token = await logIn(test.app, email, password);
        return { id: body.tenant.id, slug, email, password, token, owner: withToken(test.app, token) };
      };
      const sell = async (tenant: SignedUpTenant, name: string, amount: number) => {
        const price = { amount, currency: 'EUR' };
        const body = { type: 'book', sku: `${tenant.slug}-${name}`, name, price, isbn: '1' };
        const { status } = await tenant.owner.call('/v1/products', { body });
        if (status !== 201) throw new Error(`A product was answered with ${status}.`);
      };
      const timed = async (client: ApiClient, url: string) => {
        const start = performance.now();
        const answer = await client.call(url);
        return { ...answer, ms: performance.now() - start };
      };
      const search = async (query: string) => (await operators.call(`${SEARCH}?${query}`)).body;

      beforeAll(async () => {
        folder = mkdtempSync(join(tmpdir(), 'rowhouse-outage-'));
        // Kysely writes a line for each connection that comes to its end after nobody waits for it any more.
        jest.spyOn(console, 'error').mockImplementation(() => undefined);
        database = await createTestDatabase(engine);
        proxy = await TcpProxy.before(database.url);
        test = await startTestApp({
          SHARDS: `near=sqlite:${join(folder, 'near.sqlite')},far=${proxy.through(database.url)}`,
          SHARD_TIMEOUT_MS: String(TIMEOUT_MS),
          OPERATOR_EMAIL: operator.email,
          OPERATOR_PASSWORD: operator.password,
        });
        operators = withToken(test.app, await logIn(test.app, operator.email, operator.password));
        near = await tenantOn('near', 'near-by');
        far = await tenantOn('far', 'far-away');
        for (const [name, amount] of [
          ['Lamp', 300],
          ['lamp 灯', 100],
          ['Éclair', 50],
        ] as const)
          await sell(near, name, amount);
        for (const [name, amount] of [
          ['Lamp', 200],
          ['Zebra lamp', 400],
        ] as const)
          await sell(far, name, amount);
      });
      afterAll(async () => {
        await test?.close();
        await proxy?.stop();
        await database?.drop();
        rmSync(folder, { recursive: true, force: true });
        jest.restoreAllMocks();
      });

      /** Waits on the condition, as long as a breaker's pause and some tries. */
      const recovered = async () => {
        for (let tries = 0; tries < 40; tries++) {
          if ((await far.owner.call('/v1/products')).status === 200) return;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        throw new Error('The shard did not come back.');
      };

      describe('while both answer', () => {
        const namesOf = async (query: string) => (await search(query)).data.map((it: { name: string }) => it.name);

        it('finds products of all tenants, in one order', async () => {
          const { data, shards } = await search('name=LAMP&sort=-price');
          expect(data.map((it: { tenant: { slug: string }; name: string }) => [it.tenant.slug, it.name])).toEqual([
            ['far-away', 'Zebra lamp'],
            ['near-by', 'Lamp'],
            ['far-away', 'Lamp'],
            ['near-by', 'lamp 灯'],
          ]);
          expect(data[0]).toMatchObject({
            tenant: { id: far.id },
            type: 'book',
            sku: 'far-away-Zebra lamp',
            price: { amount: 400, currency: 'EUR' },
            stock: 0,
            createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
          });
          expect(shards).toEqual([
            { id: 'near', ok: true, ms: expect.any(Number) },
            { id: 'far', ok: true, ms: expect.any(Number) },
          ]);
        });

        it('orders and limits like one database, by code points', async () => {
          expect(await namesOf('sort=name')).toEqual(['Lamp', 'Lamp', 'Zebra lamp', 'lamp 灯', 'Éclair']);
          expect(await namesOf('sort=-name&limit=3')).toEqual(['Éclair', 'lamp 灯', 'Zebra lamp']);
          expect(await namesOf('sort=createdAt&limit=2')).toEqual(['Lamp', 'lamp 灯']);
          expect(await namesOf('name=%25')).toEqual([]);
        });

        it('tells the tenants whose rows were read, by whom and why, and no other', async () => {
          const entriesOf = async (tenant: SignedUpTenant) =>
            (await tenant.owner.call('/v1/audit?action=read_across_tenants&limit=100')).body.data;
          const before = (await entriesOf(near)).length;
          const { length } = await entriesOf(far);
          await search('name=zebra');
          const entries = await entriesOf(far);
          expect(entries).toHaveLength(length + 1);
          expect(entries[0]).toMatchObject({
            changes: { rows: { old: null, new: 1 } },
            actor: { type: 'operator', email: operator.email },
            reason: 'Search of products by name: zebra',
          });
          expect(await entriesOf(near)).toHaveLength(before);
        });

        it('lets nobody but operators search, and takes no nonsense', async () => {
          expect((await near.owner.call(SEARCH)).status).toBe(403);
          for (const query of ['limit=0', 'limit=101', 'limit=abc', 'sort=tenant', 'name=', 'name[$ne]=x']) {
            expect(await operators.call(`${SEARCH}?${query}`)).toMatchObject({ status: 400 });
          }
        });
      });

      describe('while the server is away', () => {
        beforeEach(async () => {
          await recovered();
          await proxy.stop();
        });
        afterEach(() => proxy.start());

        it('answers 503 to its own tenants, and says when to try again', async () => {
          for (const url of ['/v1/products', '/v1/audit']) {
            const answer = await far.owner.call(url);
            expect(answer).toMatchObject({ status: 503, body: { code: 'shard_unavailable', instance: url } });
            expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
            // Where tenants live is the operator's to know.
            expect(answer.text).not.toMatch(/\bfar\b|127\.0\.0\.1|ECONN/);
          }
          const created = await far.owner.call('/v1/products', {
            body: { type: 'book', sku: 'n', name: 'n', price: { amount: 1, currency: 'EUR' }, isbn: '1' },
          });
          expect(created.status).toBe(503);
        });

        it('serves the tenants of the other shard, and new ones there', async () => {
          await Promise.all([far.owner.call('/v1/products'), far.owner.call('/v1/products')]);
          const served = await Promise.all(Array.from({ length: 10 }, () => near.owner.call('/v1/products')));
          expect(served.map(({ status }) => status)).toEqual(Array(10).fill(200));
          expect((await operators.call('/readyz')).body).toMatchObject({ status: 'degraded' });
          await tenantOn('near', `new-${engine.name}`);
        });

        it('signs up no tenant whose trail cannot be opened', async () => {
          await expect(tenantOn('far', 'unlucky')).rejects.toThrow(/503/);
          expect((await operators.call('/v1/platform/tenants/unlucky')).status).toBe(404);
        });

        it('searches what is left, and says what is missing', async () => {
          const { data, shards } = await search('name=lamp');
          expect(data.map((it: { name: string }) => it.name)).toEqual(['Lamp', 'lamp 灯']);
          expect(shards).toMatchObject([
            { id: 'near', ok: true },
            { id: 'far', ok: false },
          ]);
        });
      });

      it('costs the tenants of a shard that hangs the time-out and no more, and the others nothing', async () => {
        await recovered();
        proxy.hang();
        const [hung, ...others] = await Promise.all([
          timed(far.owner, '/v1/products'),
          ...Array.from({ length: 5 }, () => timed(near.owner, '/v1/products')),
        ]);
        expect(hung).toMatchObject({ status: 503, body: { code: 'shard_unavailable' } });
        expect(hung.ms).toBeLessThan(3 * TIMEOUT_MS);
        for (const { status, ms } of others) {
          expect(status).toBe(200);
          expect(ms).toBeLessThan(TIMEOUT_MS);
        }
        const found = await timed(operators, `${SEARCH}?name=lamp`);
        expect(found.body.shards).toMatchObject([{ ok: true }, { ok: false }]);
        proxy.answerAgain();
        await recovered();
        expect((await search('name=zebra')).data).toHaveLength(1);
      });

      it('comes back by itself, with everything it had', async () => {
        await proxy.stop();
        expect((await far.owner.call('/v1/products')).status).toBe(503);
        await proxy.start();
        await recovered();
        const { data } = (await far.owner.call('/v1/products?sort=name')).body;
        expect(data.map((it: { name: string }) => it.name)).toEqual(['Lamp', 'Zebra lamp']);
      });
    },
    ['postgresql', 'mariadb'],
  );
});
