import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { DEMO_OPERATOR, TenantPurgeService } from '#apps/api';
import { runInContext } from '#libs/context';
import { AccountStore } from '#libs/identity';
import { CentralEntityManager } from '#libs/persistence';
import { IsolationStrategies, type Placement, TenantDatabases, TenantNotArchivedError } from '#libs/tenancy';
import { type Answer, ApiClient, logIn, signUp, withToken } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

interface TenantPage {
  readonly data: { readonly slug: string; readonly placement: object }[];
  readonly nextCursor: string | null;
}

describe('the tenants of the platform', () => {
  let test: TestApp;
  let operator: ApiClient;
  let anonymous: ApiClient;
  beforeAll(async () => {
    test = await startTestApp();
    anonymous = new ApiClient(test.app);
    operator = withToken(test.app, await logIn(test.app, DEMO_OPERATOR.email, DEMO_OPERATOR.password));
  });
  afterAll(() => test.close());

  it('are listed with their placement, newest first, page by page', async () => {
    const slugs = ['list-a', 'list-b', 'list-c', 'list-d', 'list-e'];
    for (const slug of slugs) await signUp(test.app, slug);
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { body }: Answer<TenantPage> = await operator.call<TenantPage>(
        `/v1/platform/tenants?limit=2${cursor && `&cursor=${cursor}`}`,
      );
      for (const tenant of body.data) {
        expect(tenant).toEqual((await operator.call(`/v1/platform/tenants/${tenant.slug}`)).body);
        expect(tenant.placement).toMatchObject({ strategy: 'row', state: 'active' });
        seen.push(tenant.slug);
      }
      cursor = body.nextCursor;
    }
    expect(seen).toEqual(slugs.toReversed());
  });

  it('are the business of operators only', async () => {
    const tenant = await signUp(test.app, 'curious');
    const calls = [
      tenant.owner.call('/v1/platform/tenants'),
      tenant.owner.call('/v1/platform/tenants/curious', { method: 'DELETE' }),
    ];
    for (const answer of await Promise.all(calls)) {
      expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    }
    expect((await anonymous.call('/v1/platform/tenants')).status).toBe(401);
    expect((await tenant.owner.call('/v1/products')).status).toBe(200);
  });

  it('are served nothing once archived, by no way in, and keep slug and data', async () => {
    const tenant = await signUp(test.app, 'archived');
    const login = () => anonymous.call('/v1/auth/login', { body: { email: tenant.email, password: tenant.password } });
    const { body: session } = await login();
    const key = await tenant.owner.call('/v1/api-keys', { body: { name: 'k', permissions: ['catalogue:read'] } });
    const robot = new ApiClient(test.app, { 'x-api-key': key.body.key });
    const invitation = await tenant.owner.call('/v1/invitations', { body: { email: 'late@archived.example' } });
    const price = { amount: 1, currency: 'EUR' };
    const product = { type: 'book', sku: 'kept', name: 'Kept', price, isbn: '9780262046305' };
    expect((await tenant.owner.call('/v1/products', { body: product })).status).toBe(201);
    expect((await robot.call('/v1/products')).status).toBe(200);

    const archive = () => operator.call('/v1/platform/tenants/archived', { method: 'DELETE' });
    expect((await archive()).status).toBe(204);
    expect((await archive()).status).toBe(204);

    const statuses = [
      (await tenant.owner.call('/v1/products')).status,
      (await anonymous.call('/v1/auth/refresh', { body: { refreshToken: session.refreshToken } })).status,
    ];
    expect(statuses).toEqual([401, 401]);
    const token = invitation.body.token;
    const refused = [
      await login(),
      await robot.call('/v1/products'),
      await anonymous.call('/v1/invitations/accept', { body: { token, password: 'long enough' } }),
    ];
    for (const answer of refused) {
      expect(answer).toMatchObject({ status: 403, body: { code: 'tenant_suspended' } });
    }
    const owner = { email: 'new@archived.example', password: 'long enough', name: 'N' };
    const again = await anonymous.call('/v1/tenants', { body: { slug: 'archived', name: 'Again', owner } });
    expect(again).toMatchObject({ status: 409, body: { code: 'slug_taken' } });
    expect((await operator.call('/v1/platform/tenants/archived')).body).toMatchObject({
      status: 'archived',
      placement: { state: 'archived', epoch: 2 },
    });

    const change = { method: 'PATCH', body: { status: 'active' } } as const;
    expect((await operator.call('/v1/platform/tenants/archived', change)).body).toMatchObject({
      status: 'active',
      placement: { state: 'active', epoch: 3 },
    });
    expect((await tenant.owner.call('/v1/products')).status).toBe(401);
    const back = withToken(test.app, await logIn(test.app, tenant.email, tenant.password));
    expect((await back.call('/v1/products')).body.data).toMatchObject([{ sku: 'kept' }]);
    const { body: trail } = await back.call('/v1/audit?limit=100');
    const changes = trail.data.filter(({ action }: { action: string }) => /^tenant_/.test(action));
    expect(changes.map((it: { action: string; actor: { type: string } }) => [it.action, it.actor.type])).toEqual([
      ['tenant_activated', 'operator'],
      ['tenant_archived', 'operator'],
      ['tenant_created', 'user'],
    ]);
  });

  it('leave their slug to others once purged, and nothing else', async () => {
    const tenant = await signUp(test.app, 'purged');
    const purge = () => runInContext({}, () => test.app.get(TenantPurgeService).purge('purged'));
    await expect(purge()).rejects.toThrow(TenantNotArchivedError);
    await operator.call('/v1/platform/tenants/purged', { method: 'DELETE' });
    await purge();
    expect((await operator.call('/v1/platform/tenants/purged')).status).toBe(404);
    const owner = { email: 'next@purged.example', password: 'long enough', name: 'N' };
    const next = await anonymous.call('/v1/tenants', { body: { slug: 'purged', name: 'Next', owner } });
    expect(next).toMatchObject({ status: 201 });
    expect(next.body.tenant.id).not.toBe(tenant.id);
  });

  it('cannot be activated while they are purged', async () => {
    await signUp(test.app, 'closing');
    await operator.call('/v1/platform/tenants/closing', { method: 'DELETE' });
    const strategies = test.app.get(IsolationStrategies);
    const drop = jest.spyOn(Object.getPrototypeOf(strategies.get('row', 'shard-1')), 'drop');
    const activate = () =>
      operator.call('/v1/platform/tenants/closing', { method: 'PATCH', body: { status: 'active' } });
    let answer: Awaited<ReturnType<typeof activate>> | undefined;
    drop.mockImplementationOnce(async () => {
      answer = await activate();
    });
    await runInContext({}, () => test.app.get(TenantPurgeService).purge('closing'));
    drop.mockRestore();
    expect(answer).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect((await operator.call('/v1/platform/tenants/closing')).status).toBe(404);
  });

  it('keep the place that was made for them when the answer to their sign-up is lost', async () => {
    const email = 'owner@lost.example';
    const events = await runInContext({}, () => test.app.get(CentralEntityManager).get().getEventManager());
    let isLost = false;
    events.registerSubscriber({
      afterTransactionCommit: async () => {
        if (isLost) return;
        isLost = true;
        throw new Error('the answer to the commit is lost');
      },
    });
    const owner = { email, password: 'long enough', name: 'L' };
    const body = { slug: 'lost', name: 'Lost', owner, placement: { strategy: 'database' } };
    await operator.call('/v1/platform/tenants', { body });
    expect((await operator.call('/v1/platform/tenants/lost')).status).toBe(200);
    const token = await logIn(test.app, email, owner.password);
    expect((await withToken(test.app, token).call('/v1/products')).status).toBe(200);
  });

  it('have no place made for them by somebody who gives the e-mail of another', async () => {
    await signUp(test.app, 'rightful');
    const strategy = test.app.get(IsolationStrategies).get('database', 'shard-1');
    const provision = jest.spyOn(Object.getPrototypeOf(strategy), 'provision');
    const owner = { email: 'owner@rightful.example', password: 'a guess of theirs', name: 'G' };
    const body = { slug: 'guessed', name: 'Guessed', owner, placement: { strategy: 'database' } };
    const answer = await operator.call('/v1/platform/tenants', { body });
    const made = provision.mock.calls.length;
    const fresh = { ...owner, email: 'owner@guessed.example' };
    const control = await operator.call('/v1/platform/tenants', { body: { ...body, owner: fresh } });
    const after = provision.mock.calls.length;
    provision.mockRestore();
    expect([answer.status, made, control.status, after]).toEqual([409, 0, 201, 1]);
  });

  it('leave no place behind when their owner is not made while it is', async () => {
    const strategy = test.app.get(IsolationStrategies).get('database', 'shard-1');
    const drop = jest.spyOn(Object.getPrototypeOf(strategy), 'drop');
    const make = jest.spyOn(test.app.get(AccountStore), 'getOrCreate').mockRejectedValueOnce(new Error('no memory'));
    const owner = { email: 'owner@half.example', password: 'long enough', name: 'H' };
    const body = { slug: 'half', name: 'Half', owner, placement: { strategy: 'database' } };
    const answer = await operator.call('/v1/platform/tenants', { body });
    const dropped = drop.mock.calls.map(([placement]) =>
      test.app.get(TenantDatabases).databaseUrl('shard-1', String((placement as Placement).databaseName)),
    );
    for (const spy of [drop, make]) spy.mockRestore();
    expect(answer.status).toBe(500);
    expect(dropped.map((url) => existsSync(url.replace('sqlite:', '')))).toEqual([false]);
    expect((await operator.call('/v1/platform/tenants', { body })).status).toBe(201);
  });

  it('answers the archiving of a tenant that is not there with 404', async () => {
    const answer = await operator.call('/v1/platform/tenants/no-such-tenant', { method: 'DELETE' });
    expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });
});
