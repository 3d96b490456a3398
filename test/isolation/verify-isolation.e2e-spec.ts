import { Readable, Writable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { DEMO_OPERATOR } from '#apps/api';
import { verifyIsolation } from '#apps/cli';
import { currentContext, runAs } from '#libs/context';
import { runInSystemFrame } from '#libs/persistence';
import { ShardRegistry } from '#libs/sharding';
import { TenantLocator, TenantStore } from '#libs/tenancy';
import { expectIsolated } from '#libs/testing';
import { AccessGuard } from '../../apps/api/src/http/access.guard.js';
import { ProductService } from '../../apps/api/src/shop/catalogue/product.service.js';
import { commands } from '../../apps/cli/src/rowhouse/commands.js';
import { runCli } from '../../apps/cli/src/rowhouse/run-cli.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

describe('verify:isolation', () => {
  let test: TestApp;
  let url: string;
  beforeAll(async () => {
    test = await startTestApp();
    await test.app.listen(0, '127.0.0.1');
    url = await test.app.getUrl();
  });
  afterAll(() => test.close());
  afterEach(() => {
    jest.restoreAllMocks();
  });

  const describeNothing = () => Promise.reject(new Error('The instance describes itself.'));
  const verify = (resource?: string) =>
    verifyIsolation({
      url,
      operator: DEMO_OPERATOR,
      strategy: 'row',
      describe: describeNothing,
      say: () => {},
      ...(resource && { resource, shard: 'shard-1' }),
    });
  const brokenOf = (results: Awaited<ReturnType<typeof verify>>) =>
    results.filter(({ holds }) => !holds).map(({ resource, title }) => `${resource} ${title}`);

  it('holds for every resource on every shard, and leaves no tenant in service', async () => {
    const results = await verify();
    expect(results.filter(({ holds }) => !holds)).toEqual([]);
    expect(new Set(results.map(({ shard }) => shard))).toEqual(new Set(['shard-1', 'shard-2']));
    expect(results.length).toBeGreaterThan(100);
  });

  it('is red when what a request names is not held against its credentials', async () => {
    jest.spyOn(TenantLocator.prototype, 'assertNamesNoOther').mockResolvedValue();
    const broken = brokenOf(await verify('/v1/orders'));
    expect(broken).toEqual([
      '/v1/orders refuses credentials of one tenant where the request names another, on every route',
    ]);
  });

  it("is red when a product is read without its tenant, and so is a module's own spec", async () => {
    const { get } = ProductService.prototype;
    jest.spyOn(ProductService.prototype, 'get').mockImplementation(async function (this: ProductService, id) {
      const [row] = await runInSystemFrame('a guard is missing', () =>
        test.app
          .get(ShardRegistry)
          .entityManager('shard-1')
          .execute<{ tenant_id: string }[]>('select tenant_id from product where id = ?', [id]),
      );
      const tenant = row && (await test.app.get(TenantStore).findById(row.tenant_id));
      const { actor } = currentContext();
      return tenant && actor ? runAs({ tenant, actor }, () => get.call(this, id)) : get.call(this, id);
    });
    const broken = brokenOf(await verify('/v1/products'));
    expect(broken).toContain("/v1/products answers another tenant's id byte for byte like one that never existed");
    expect(broken).toContain('/v1/products tells another tenant nothing of what it holds, in any answer');
    for (;;) {
      // Tenants are placed by their ids: the first one on the shard above shows it.
      const tried = await expectIsolated(test.app, 'products').catch((error: Error) => error.message);
      if (typeof tried === 'string') return expect(tried).toContain('/v1/products is not isolated');
    }
  });

  it('is red when a suspended tenant goes on', async () => {
    jest.spyOn(TenantStore.prototype, 'forget').mockReturnValue();
    jest.spyOn(TenantStore.prototype, 'announce').mockResolvedValue();
    const broken = brokenOf(await verify('credentials'));
    expect(broken).toEqual([
      'credentials refuses a suspended tenant on its next request, by token, key, refresh and log-in',
    ]);
  });

  it('is red when routes are open', async () => {
    const { canActivate } = AccessGuard.prototype;
    jest.spyOn(AccessGuard.prototype, 'canActivate').mockImplementation(async function (this: AccessGuard, execution) {
      const request = execution.switchToHttp().getRequest<{ headers: Record<string, unknown> }>();
      return request.headers.authorization || request.headers['x-api-key'] ? canActivate.call(this, execution) : true;
    });
    expect(brokenOf(await verify('credentials'))).toEqual([
      'credentials asks for credentials on every route that is not public',
    ]);
  });

  const call = async (...args: string[]) => {
    const texts = { stdout: '', stderr: '' };
    const into = (name: 'stdout' | 'stderr') =>
      new Writable({
        write(chunk, _, done) {
          texts[name] += String(chunk);
          done();
        },
      });
    const outside = {
      stdin: Readable.from([]),
      stdout: into('stdout'),
      stderr: into('stderr'),
      loadConfig: () => test.config,
    };
    const code = await runCli(commands, ['isolation', 'verify', ...args], outside);
    return { code, ...texts };
  };
  const login = ['--operator-email', DEMO_OPERATOR.email, '--operator-password', DEMO_OPERATOR.password];

  it('ends with 0 when everything holds, with 1 and what was seen when not, and with 2 for a wrong call', async () => {
    const green = await call('--url', url, ...login, '--shard', 'shard-1', '--resource', '/v1/wallets', '--json');
    expect(green.stderr).toMatch(/\d+ promises hold\.\n$/);
    expect([green.code, JSON.parse(green.stdout)[0].result]).toEqual([0, 'holds']);
    jest.spyOn(TenantLocator.prototype, 'assertNamesNoOther').mockResolvedValue();
    const red = await call('--url', url, ...login, '--shard', 'shard-1', '--resource', '/v1/products');
    expect(red.stdout).toMatch(/BROKEN +shard-1 +\/v1\/products .*GET \/v1\/products: 200/);
    expect([red.code, /promises do not hold/.test(red.stderr)]).toEqual([1, true]);
    expect((await call(...login)).code).toBe(2);
    expect((await call('--url', url, ...login, '--resource', '/v1/nothing')).code).toBe(2);
  });

  it.each([
    ['a wrong password', () => ['--url', url, '--operator-email', DEMO_OPERATOR.email, '--operator-password', 'wrong']],
    ['nobody who answers', () => ['--url', 'http://127.0.0.1:1', ...login]],
  ])('ends with 1 and one line for %s: nothing was shown', async (_, args) => {
    const { code, stdout, stderr } = await call(...args());
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
