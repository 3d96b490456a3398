import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createTestDatabase, eachEngine, type TestDatabase } from '#libs/testing';
import { type ApiClient, logIn, withToken } from './support/api-client.js';
import { TcpProxy } from './support/tcp-proxy.js';
import { startTestApp, type TestApp } from './support/test-app.js';

jest.setTimeout(60_000);

const operator = { email: 'olli@platform.example', password: 'a password of the operator' };

describe('a shard that is away when the application starts', () => {
  eachEngine(
    (engine) => {
      let folder: string;
      let database: TestDatabase;
      let proxy: TcpProxy;
      let test: TestApp;
      let operators: ApiClient;

      const start = async () => {
        test = await startTestApp({
          DATA_DIR: folder,
          SHARDS: `near=sqlite:${join(folder, 'near.sqlite')},far=${proxy.through(database.url)}`,
          SHARD_TIMEOUT_MS: '1000',
          OPERATOR_EMAIL: operator.email,
          OPERATOR_PASSWORD: operator.password,
        });
        operators = withToken(test.app, await logIn(test.app, operator.email, operator.password));
      };
      const owner = (slug: string) => ({ email: `owner@${slug}.example`, password: `password of ${slug}`, name: 'O' });
      const signUp = (slug: string, shard: string) =>
        operators.call('/v1/platform/tenants', {
          body: { slug, name: slug, owner: owner(slug), placement: { strategy: 'row', shard } },
        });
      const productsOf = async (slug: string) => {
        const token = await logIn(test.app, owner(slug).email, owner(slug).password);
        return withToken(test.app, token).call('/v1/products');
      };
      /** Waits on the condition, as long as some looks after late shards. */
      const until = async (isThere: () => Promise<boolean>) => {
        for (let tries = 0; !(await isThere()); tries++) {
          if (tries > 200) throw new Error('The shard did not come back.');
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      };

      beforeAll(async () => {
        folder = mkdtempSync(join(tmpdir(), 'rowhouse-late-'));
        // Kysely writes a line for each connection that comes to its end after nobody waits for it any more.
        jest.spyOn(console, 'error').mockImplementation(() => undefined);
        database = await createTestDatabase(engine);
        proxy = await TcpProxy.before(database.url);
        await proxy.stop();
      });
      afterAll(async () => {
        await test?.close();
        await proxy?.stop();
        await database?.drop();
        rmSync(folder, { recursive: true, force: true });
        jest.restoreAllMocks();
      });

      it('does not keep it from starting, nor the tenants of other shards from being served', async () => {
        await start();
        expect((await operators.call('/readyz')).body).toMatchObject({ status: 'degraded' });
        expect((await signUp('near-by', 'near')).status).toBe(201);
        expect((await productsOf('near-by')).status).toBe(200);
        expect(await signUp('too-early', 'far')).toMatchObject({ status: 503, body: { code: 'shard_unavailable' } });
      });

      it('is brought up to date when it comes, and takes tenants from then on', async () => {
        await proxy.start();
        await until(async () => (await signUp('far-away', 'far')).status === 201);
        expect((await productsOf('far-away')).status).toBe(200);
      });

      it('gives its own tenants 503 until then, and serves them again by itself', async () => {
        await test.app.close();
        await proxy.stop();
        await start();
        const refused = await productsOf('far-away');
        expect(refused).toMatchObject({ status: 503, body: { code: 'shard_unavailable' } });
        expect(refused.headers['retry-after']).toMatch(/^[1-9]\d*$/);
        expect((await productsOf('near-by')).status).toBe(200);
        await proxy.start();
        await until(async () => (await productsOf('far-away')).status === 200);
      });
    },
    ['postgresql', 'mariadb'],
  );
});
