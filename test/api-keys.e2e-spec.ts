import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DEMO_OPERATOR } from '#apps/api';
import { ApiClient, logIn, type SignedUpTenant, signUp, withToken } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

describe('API keys', () => {
  let test: TestApp;
  let acme: SignedUpTenant;
  let globex: SignedUpTenant;
  beforeAll(async () => {
    test = await startTestApp();
    acme = await signUp(test.app, 'acme');
    globex = await signUp(test.app, 'globex');
    for (const { owner, slug } of [acme, globex]) {
      expect((await owner.call('/v1/products', { body: book(`only-${slug}`) })).status).toBe(201);
    }
  });
  afterAll(() => test.close());

  const book = (sku: string) => ({
    type: 'book',
    sku,
    name: sku,
    price: { amount: 100, currency: 'EUR' },
    isbn: '9780262046305',
  });
  const issue = async (by: ApiClient, permissions: string[], rest: object = {}) => {
    const { status, body } = await by.call('/v1/api-keys', { body: { name: 'robot', permissions, ...rest } });
    if (status !== 201) throw new Error(`Making a key answered ${status}: ${JSON.stringify(body)}`);
    return body as { id: string; key: string };
  };
  const withKey = (key: string) => new ApiClient(test.app, { 'x-api-key': key });
  const remove = (by: ApiClient, id: string) => by.call(`/v1/api-keys/${id}`, { method: 'DELETE' });

  it('are shown once, and listed without what opens', async () => {
    const answer = await acme.owner.call('/v1/api-keys', {
      body: { name: 'shown', permissions: ['catalogue:read'], expiresAt: '2999-01-01T01:00:00+01:00' },
    });
    expect(answer.status).toBe(201);
    const { key, ...rest } = answer.body;
    expect(rest).toEqual({
      id: expect.any(String),
      name: 'shown',
      permissions: ['catalogue:read'],
      createdBy: expect.any(String),
      createdAt: expect.any(String),
      expiresAt: '2999-01-01T00:00:00.000Z',
    });
    expect(key).toMatch(/^rhk_[\w-]{64}$/);
    const listed = await acme.owner.call('/v1/api-keys');
    expect(listed.body.data).toContainEqual(rest);
    const { CentralDatabase } = await import('../apps/api/src/storage/central-database.js');
    const rows = await test.app.get(CentralDatabase).orm.em.fork().execute('select * from `api_key`');
    expect(JSON.stringify(rows)).toContain(rest.id);
    for (const text of [listed.text, JSON.stringify(rows)]) {
      expect(text).not.toContain(key.slice(30, 60));
      expect(text).not.toContain(key.slice(-20));
    }
    expect((await globex.owner.call('/v1/api-keys')).body.data).toEqual([]);
  });

  it('work for the tenant they are of, and for what they were given', async () => {
    const keys = await Promise.all(
      [acme, globex].map(async ({ owner }) => withKey((await issue(owner, ['catalogue:read'])).key)),
    );
    for (let round = 0; round < 2; round++) {
      const skus = await Promise.all(
        keys.map(async (it) => (await it.call('/v1/products')).body.data.map(({ sku }: { sku: string }) => sku)),
      );
      expect(skus).toEqual([['only-acme'], ['only-globex']]);
    }
    const [client] = keys as [ApiClient];
    expect(await client.call('/v1/products', { body: book('x') })).toMatchObject({
      status: 403,
      body: { code: 'forbidden' },
    });
    for (const url of ['/v1/audit', '/v1/members', '/v1/api-keys', '/v1/auth/sessions', '/v1/platform/tenants/acme']) {
      expect(await client.call(url)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    }
    expect((await client.call('/v1/products', { headers: { 'x-tenant': 'acme' } })).status).toBe(200);
    const elsewhere = await client.call('/v1/products', { headers: { 'x-tenant': 'globex' } });
    expect(elsewhere).toMatchObject({ status: 403, body: { code: 'tenant_mismatch' } });
  });

  it('say what they are', async () => {
    const { id, key } = await issue(acme.owner, ['audit:read', 'catalogue:read', 'audit:read']);
    expect((await withKey(key).call('/v1/auth/me')).body).toEqual({
      user: null,
      apiKey: { id, name: 'robot', permissions: ['audit:read', 'catalogue:read'] },
      tenant: { id: acme.id, slug: 'acme' },
      role: null,
    });
  });

  it('are the actor of what they change', async () => {
    const { id, key } = await issue(acme.owner, ['catalogue:write', 'catalogue:read']);
    const made = await withKey(key).call('/v1/products', { body: book('by-robot') });
    expect(made.status).toBe(201);
    const { body } = await acme.owner.call(`/v1/audit?entityId=${made.body.id}`);
    expect(body.data).toMatchObject([{ action: 'create', actor: { id, type: 'api_key', email: null } }]);
    const trail = await acme.owner.call(`/v1/audit?entity=ApiKey&entityId=${id}`);
    expect(trail.body.data).toMatchObject([{ action: 'api_key_created', actor: { email: acme.email } }]);
  });

  it('are refused from the request after their removal', async () => {
    const { id, key } = await issue(acme.owner, ['catalogue:read']);
    const client = withKey(key);
    expect((await client.call('/v1/products')).status).toBe(200);
    expect((await remove(globex.owner, id)).status).toBe(404);
    expect((await client.call('/v1/products')).status).toBe(200);
    expect((await remove(acme.owner, id)).status).toBe(204);
    expect(await client.call('/v1/products')).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    expect((await remove(acme.owner, id)).status).toBe(404);
  });

  it('are refused once they have run out, also when they were used a moment before', async () => {
    const expiresAt = new Date(Date.now() + 400);
    const { key } = await issue(acme.owner, ['catalogue:read'], { expiresAt: expiresAt.toISOString() });
    expect((await withKey(key).call('/v1/products')).status).toBe(200);
    while (Date.now() <= expiresAt.getTime()) await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await withKey(key).call('/v1/products')).status).toBe(401);
  });

  it('are refused while their tenant is suspended', async () => {
    const tenant = await signUp(test.app, 'hooli');
    const client = withKey((await issue(tenant.owner, ['catalogue:read'])).key);
    const operator = withToken(test.app, await logIn(test.app, DEMO_OPERATOR.email, DEMO_OPERATOR.password));
    const change = (status: string) =>
      operator.call('/v1/platform/tenants/hooli', { method: 'PATCH', body: { status } });
    expect((await client.call('/v1/products')).status).toBe(200);
    await change('suspended');
    expect(await client.call('/v1/products')).toMatchObject({ status: 403, body: { code: 'tenant_suspended' } });
    await change('active');
    expect((await client.call('/v1/products')).status).toBe(200);
  });

  it('are refused when forged, changed or sent in another way', async () => {
    const { key, id } = await issue(acme.owner, ['catalogue:read']);
    expect((await withKey(key).call('/v1/products')).status).toBe(200);
    const other = (await issue(globex.owner, ['catalogue:read'])).key;
    const forged = ['', 'x', id, `${key}x`, key.slice(0, -1), key.toUpperCase(), `${key}, ${key}`, acme.token];
    // The id of one key with the secret of another, with the first one warm in every cache.
    const swapped = Buffer.concat([
      Buffer.from(key.slice(4), 'base64url').subarray(0, 16),
      Buffer.from(other.slice(4), 'base64url').subarray(16),
    ]);
    for (const wrong of [...forged, `rhk_${swapped.toString('base64url')}`, `rhk_${'A'.repeat(64)}`]) {
      expect(await withKey(wrong).call('/v1/products')).toMatchObject({
        status: 401,
        body: { code: 'unauthenticated' },
      });
    }
    expect((await withToken(test.app, key).call('/v1/products')).status).toBe(401);
    expect((await new ApiClient(test.app).call(`/v1/products?x-api-key=${key}`)).status).toBe(401);
    expect((await withKey(key).call('/v1/products')).status).toBe(200);
  });

  it('are not taken together with a token, whichever is valid', async () => {
    const { key } = await issue(acme.owner, ['catalogue:read']);
    const pairs = [
      { 'x-api-key': key, authorization: `Bearer ${acme.token}` },
      { 'x-api-key': key, authorization: `Bearer ${globex.token}` },
      { 'x-api-key': 'wrong', authorization: `Bearer ${acme.token}` },
    ];
    for (const headers of pairs) {
      const answer = await new ApiClient(test.app, headers).call('/v1/products');
      expect(answer).toMatchObject({ status: 400, body: { code: 'bad_request' } });
    }
  });

  it('hold no more than whoever made them, and never what is for people', async () => {
    const member = { email: 'member@acme.example', name: 'M', password: 'long enough', role: 'member' };
    await acme.owner.call('/v1/members', { body: member });
    const client = withToken(test.app, await logIn(test.app, member.email, member.password));
    const asked = (by: ApiClient, permissions: unknown, rest: object = {}) =>
      by.call('/v1/api-keys', { body: { name: 'more', permissions, ...rest } });
    expect((await asked(client, ['catalogue:read'])).status).toBe(403);
    for (const wrong of [['members:write'], ['keys:write'], ['keys:read'], ['everything'], [], 'catalogue:read']) {
      expect(await asked(acme.owner, wrong)).toMatchObject({ status: 400, body: { code: 'invalid_input' } });
    }
    const past = { expiresAt: '2020-01-01T00:00:00Z' };
    expect(await asked(acme.owner, ['catalogue:read'], past)).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/expiresAt' }] },
    });
  });

  it('never mixes up the callers of parallel requests, cold or warm', async () => {
    const keys = await Promise.all(
      [acme, globex].map(async ({ owner }) => (await issue(owner, ['catalogue:read'])).key),
    );
    const clients = keys.flatMap((key, index) => [withKey(key), index ? globex.owner : acme.owner]);
    for (let round = 0; round < 2; round++) {
      const calls = Array.from({ length: 40 }, (_, index) => clients[index % 4]?.call('/v1/auth/me'));
      const slugs = (await Promise.all(calls)).map((answer) => answer?.body.tenant.slug);
      expect(slugs).toEqual(Array.from({ length: 40 }, (_, index) => (index % 4 < 2 ? 'acme' : 'globex')));
    }
  });
});
