import { Readable, Writable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { NoContextError, NoTenantInContextError, runAs, runInContext } from '#libs/context';
import { CurrentEntityManager } from '#libs/persistence';
import { ShardRegistry } from '#libs/sharding';
import { Product } from '../apps/api/src/shop/catalogue/product.entity.js';
import { ProductService } from '../apps/api/src/shop/catalogue/product.service.js';
import type { CliCommand } from '../apps/cli/src/rowhouse/cli-command.js';
import { runCli } from '../apps/cli/src/rowhouse/run-cli.js';
import { ApiClient, logIn, signUp, withToken } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

const owner = { email: 'two@tenants.example', password: 'long enough', name: 'Two' };

describe('work for no tenant', () => {
  let test: TestApp;
  let statements: unknown[];
  beforeAll(async () => {
    test = await startTestApp();
  });
  afterAll(() => test.close());
  beforeEach(() => {
    statements = [];
    for (const { orm } of test.app.get(ShardRegistry).all()) {
      const connection = orm.em.getConnection() as unknown as { execute(sql: unknown): Promise<unknown> };
      jest.spyOn(connection, 'execute').mockImplementation(async (sql) => {
        statements.push(sql);
        throw new Error('a statement was sent');
      });
    }
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  /** Everything that a forgotten tenant might do. */
  const attempts: Readonly<Record<string, (test: TestApp) => Promise<unknown>>> = {
    'a service that reads': ({ app }) => app.get(ProductService).list({ limit: 1, sort: '-createdAt' } as never),
    'a service that writes': ({ app }) =>
      app.get(ProductService).create({
        type: 'book',
        sku: 's',
        name: 'n',
        price: { amount: 1, currency: 'EUR' },
        isbn: '1',
      } as never),
    find: async ({ app }) => app.get(CurrentEntityManager).get().find(Product, {}),
    'a native write': async ({ app }) => app.get(CurrentEntityManager).get().nativeDelete(Product, {}),
    'raw SQL': async ({ app }) => app.get(CurrentEntityManager).get().execute('select * from product'),
    'an entity manager taken from a shard': async ({ app }) =>
      app.get(ShardRegistry).entityManager('shard-1').find(Product, {}),
    'raw SQL on a shard': async ({ app }) =>
      app.get(ShardRegistry).entityManager('shard-1').execute('select * from product'),
  };

  describe.each(Object.entries(attempts))('%s', (_, attempt) => {
    it('throws before any SQL in a job', async () => {
      const job = runAs({ actor: { id: 'nightly', type: 'job' } }, () => attempt(test));
      await expect(job).rejects.toThrow(NoTenantInContextError);
      expect(statements).toEqual([]);
    });

    it('throws before any SQL in a bare script, which has no context either', async () => {
      // Async even where it throws at once, as a script would see it.
      const script = (async () => attempt(test))();
      await expect(script).rejects.toThrow(NoContextError);
      expect(statements).toEqual([]);
    });

    it('throws before any SQL in a command', async () => {
      const command: CliCommand = {
        noun: 'shop',
        verb: 'try',
        summary: 'try',
        run: async () => void (await attempt(test)),
      };
      let stderr = '';
      const sink = new Writable({
        write(chunk, _encoding, done) {
          stderr += String(chunk);
          done();
        },
      });
      const outside = { stdin: Readable.from([]), stdout: sink, stderr: sink, loadConfig: () => test.config };
      expect(await runCli([command], ['shop', 'try'], outside)).toBe(1);
      expect(stderr).toContain('names no tenant');
      expect(statements).toEqual([]);
    });
  });

  it('is refused with 400 over HTTP, before any SQL on a shard', async () => {
    jest.restoreAllMocks();
    await signUp(test.app, 'acme');
    const operator = withToken(
      test.app,
      await logIn(test.app, String(test.config.operator?.email), String(test.config.operator?.password)),
    );
    for (const url of ['/v1/products', '/v1/orders', '/v1/audit', '/v1/members', '/v1/wallets/x']) {
      expect(await operator.call(url)).toMatchObject({ status: 400, body: { code: 'tenant_required' } });
    }
    const anonymous = new ApiClient(test.app);
    for (const slug of ['first-one', 'second-one']) {
      await anonymous.call('/v1/tenants', { body: { slug, name: slug, owner } });
    }
    const login = await anonymous.call('/v1/auth/login', { body: { email: owner.email, password: owner.password } });
    expect(login).toMatchObject({ status: 400, body: { code: 'tenant_required' } });
  });

  it('is let through when there is a tenant: the attempts above are good ones', async () => {
    jest.restoreAllMocks();
    const { id } = await signUp(test.app, 'control');
    const { TenantStore } = await import('#libs/tenancy');
    const tenant = await runInContext({}, () => test.app.get(TenantStore).findById(id));
    const read = runAs({ tenant, actor: { id: 'nightly', type: 'job' } }, () => attempts.find?.(test));
    expect(await read).toEqual([]);
  });
});
