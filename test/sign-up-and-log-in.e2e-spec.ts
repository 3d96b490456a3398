import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DEMO_OPERATOR } from '#apps/api';
import { ApiClient, logIn, type SignedUpTenant, signUp, withToken } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

describe('sign-up and log-in', () => {
  let test: TestApp;
  let acme: SignedUpTenant;
  let anonymous: ApiClient;
  let operator: ApiClient;
  beforeAll(async () => {
    test = await startTestApp();
    anonymous = new ApiClient(test.app);
    acme = await signUp(test.app, 'acme');
    operator = withToken(test.app, await logIn(test.app, DEMO_OPERATOR.email, DEMO_OPERATOR.password));
  });
  afterAll(() => test.close());

  const account = (email: string, password = 'long enough') => ({ email, password, name: 'Somebody' });
  const login = (email: string, password: string, tenant?: string) =>
    anonymous.call('/v1/auth/login', { body: { email, password, tenant } });

  it('answers a sign-up with the tenant and its owner, and nothing secret', async () => {
    const { status, body, text } = await anonymous.call('/v1/tenants', {
      body: { slug: 'initech', name: 'Initech', owner: account('Bill@Initech.example', 'tps-reports') },
    });
    expect(status).toBe(201);
    expect(body).toEqual({
      tenant: { id: expect.any(String), slug: 'initech', name: 'Initech', status: 'active' },
      owner: { id: expect.any(String), email: 'bill@initech.example' },
    });
    expect(text).not.toMatch(/tps-reports|argon2|shard/);
  });

  it('gives one of two simultaneous sign-ups the slug', async () => {
    const answers = await Promise.all(
      ['a@race.example', 'b@race.example'].map((email) =>
        anonymous.call('/v1/tenants', { body: { slug: 'race', name: 'Race', owner: account(email) } }),
      ),
    );
    expect(answers.map(({ status, body }) => [status, body.code]).sort()).toEqual([
      [201, undefined],
      [409, 'slug_taken'],
    ]);
  });

  it('logs a person in and tells who and where they are', async () => {
    const { status, body } = await login(acme.email, acme.password);
    expect(status).toBe(200);
    expect(body).toEqual({
      accessToken: expect.any(String),
      refreshToken: expect.any(String),
      tokenType: 'Bearer',
      expiresIn: 900,
      tenant: { id: acme.id, slug: 'acme', name: 'ACME', status: 'active' },
    });
    const me = await withToken(test.app, body.accessToken).call('/v1/auth/me');
    expect(me.body).toEqual({
      user: { id: expect.any(String), email: acme.email, name: 'Olga Owner', isOperator: false },
      tenant: { id: acme.id, slug: 'acme' },
      role: 'owner',
    });
  });

  it('answers a wrong password, an unknown e-mail and a foreign tenant alike', async () => {
    const answers = [
      await login(acme.email, 'wrong password'),
      await login('nobody@nowhere.example', 'wrong password'),
      await login(acme.email, acme.password, 'initech'),
      await login(acme.email, acme.password, 'no-such-tenant'),
    ];
    const seen = answers.map(({ status, body }) => ({ status, ...body, requestId: '' }));
    expect(new Set(seen.map((it) => JSON.stringify(it))).size).toBe(1);
    expect(seen[0]).toMatchObject({ status: 401, code: 'unauthenticated' });
  });

  it('stops answering guesses of one account from one address, and says when to come back', async () => {
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 12; attempt++) {
      statuses.push((await login('guessed@acme.example', `guess ${attempt}`)).status);
    }
    expect(statuses).toEqual([...Array(10).fill(401), 429, 429]);
    const refused = await login('guessed@acme.example', 'one more');
    expect(refused.body.code).toBe('rate_limited');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await login(acme.email, acme.password)).status).toBe(200);
  });

  it('refuses tokens that are forged, changed, of another kind, or none', async () => {
    const [header = '', payload = ''] = acme.token.split('.');
    const unsigned = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    const { body } = await login(acme.email, acme.password);
    const forged = ['', 'x', `${header}.${payload}.`, `${unsigned}.${payload}.`, `${acme.token}x`, body.refreshToken];
    for (const token of forged) {
      const answer = await withToken(test.app, token).call('/v1/auth/me');
      expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    }
    const basic = new ApiClient(test.app, { authorization: `Basic ${acme.token}` });
    expect((await basic.call('/v1/auth/me')).status).toBe(401);
    expect((await anonymous.call(`/v1/auth/me?access_token=${acme.token}`)).status).toBe(401);
  });

  it('never mixes up the callers of parallel requests', async () => {
    const other = await signUp(test.app, 'parallel');
    const callers = Array.from({ length: 60 }, (_, index) => (index % 2 ? acme : other));
    const cold = await Promise.all(callers.map(({ email, password }) => logIn(test.app, email, password)));
    const answers = await Promise.all(cold.map((token) => withToken(test.app, token).call('/v1/auth/me')));
    expect(answers.map(({ body }) => [body.user.email, body.tenant.slug])).toEqual(
      callers.map(({ email, slug }) => [email, slug]),
    );
  });

  it('gives ten parallel refreshes one successor, and ends the session when an old token comes back', async () => {
    const { body } = await login(acme.email, acme.password);
    const refresh = (refreshToken: string) => anonymous.call('/v1/auth/refresh', { body: { refreshToken } });
    const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(body.refreshToken)));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    const [successor, ...others] = new Set(answers.map((answer) => answer.body.refreshToken as string));
    expect(others).toEqual([]);
    const third = await refresh(String(successor));
    expect(third.status).toBe(200);
    expect((await refresh(body.refreshToken)).status).toBe(401);
    expect((await refresh(third.body.refreshToken)).status).toBe(401);
    expect((await withToken(test.app, third.body.accessToken).call('/v1/auth/me')).status).toBe(401);
  });

  it('refuses a session from the request after its log-out', async () => {
    const { body } = await login(acme.email, acme.password);
    const client = withToken(test.app, body.accessToken);
    expect((await client.call('/v1/auth/me')).status).toBe(200);
    expect((await client.call('/v1/auth/logout', { method: 'POST' })).status).toBe(204);
    expect((await client.call('/v1/auth/me')).status).toBe(401);
    const refreshed = await anonymous.call('/v1/auth/refresh', { body: { refreshToken: body.refreshToken } });
    expect(refreshed.status).toBe(401);
    expect((await acme.owner.call('/v1/auth/me')).status).toBe(200);
  });

  it('lets the owner of two tenants choose, and asks when nothing is chosen', async () => {
    const owner = account('two@tenants.example');
    for (const slug of ['first-one', 'second-one']) {
      expect((await anonymous.call('/v1/tenants', { body: { slug, name: slug, owner } })).status).toBe(201);
    }
    expect(await login(owner.email, owner.password)).toMatchObject({ status: 400, body: { code: 'tenant_required' } });
    const chosen = await login(owner.email, owner.password, 'second-one');
    expect(chosen.body.tenant.slug).toBe('second-one');
    const stranger = await anonymous.call('/v1/tenants', {
      body: { slug: 'third-one', name: 'x', owner: { ...owner, password: 'not this one' } },
    });
    expect(stranger).toMatchObject({ status: 409, body: { code: 'conflict' } });
  });

  it('refuses a header that names another tenant, real or not, with the same answer', async () => {
    const answers = await Promise.all(
      ['initech', 'no-such-tenant', 'ACME', ''].map((slug) =>
        acme.owner.call('/v1/products', { headers: { 'x-tenant': slug, 'x-request-id': 'same' } }),
      ),
    );
    expect(answers[0]).toMatchObject({ status: 403, body: { code: 'tenant_mismatch' } });
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect((await acme.owner.call('/v1/products', { headers: { 'x-tenant': 'acme' } })).status).toBe(200);
  });

  it('shuts a suspended tenant out on its next request, and lets it in again', async () => {
    const tenant = await signUp(test.app, 'hooli');
    const { body: session } = await login(tenant.email, tenant.password);
    const change = (status: string) =>
      operator.call('/v1/platform/tenants/hooli', { method: 'PATCH', body: { status } });
    expect((await tenant.owner.call('/v1/products')).status).toBe(200);
    expect((await change('suspended')).body.status).toBe('suspended');
    for (const url of ['/v1/products', '/v1/auth/me']) {
      expect(await tenant.owner.call(url)).toMatchObject({ status: 403, body: { code: 'tenant_suspended' } });
    }
    expect(await login(tenant.email, tenant.password)).toMatchObject({
      status: 403,
      body: { code: 'tenant_suspended' },
    });
    const refreshed = await anonymous.call('/v1/auth/refresh', { body: { refreshToken: session.refreshToken } });
    expect(refreshed).toMatchObject({ status: 403, body: { code: 'tenant_suspended' } });
    expect((await acme.owner.call('/v1/products')).status).toBe(200);
    expect((await change('active')).body.status).toBe('active');
    expect((await tenant.owner.call('/v1/products')).status).toBe(200);
  });
});

describe('the platform', () => {
  let test: TestApp;
  let acme: SignedUpTenant;
  let operator: ApiClient;
  beforeAll(async () => {
    test = await startTestApp();
    acme = await signUp(test.app, 'acme');
    operator = withToken(test.app, await logIn(test.app, DEMO_OPERATOR.email, DEMO_OPERATOR.password));
  });
  afterAll(() => test.close());

  it('is open to operators only, and no tenant is open to an operator', async () => {
    for (const url of ['/v1/platform/shards', '/v1/platform/tenants/acme']) {
      expect(await acme.owner.call(url)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
      expect((await operator.call(url)).status).toBe(200);
    }
    for (const headers of [{}, { 'x-tenant': 'acme' }]) {
      expect(
        (await operator.call('/v1/products', { headers: headers as Record<string, string> })).status,
      ).toBeGreaterThanOrEqual(400);
    }
  });

  it('places a tenant on the shard the operator names, and shows it', async () => {
    for (const shard of ['shard-1', 'shard-2']) {
      const body = {
        slug: `on-${shard}`,
        name: 'x',
        owner: { email: `o@${shard}.example`, password: 'long enough', name: 'x' },
      };
      const placement = { strategy: 'row', shard };
      const { status, body: made } = await operator.call('/v1/platform/tenants', { body: { ...body, placement } });
      expect(status).toBe(201);
      expect(made.tenant.placement).toEqual({ ...placement, epoch: 1, state: 'active' });
      expect((await operator.call(`/v1/platform/tenants/on-${shard}`)).body).toEqual(made.tenant);
    }
    const { body } = await operator.call('/v1/platform/shards');
    expect(body.shards).toEqual(['shard-1', 'shard-2'].map((id) => ({ id, ok: true, ms: expect.any(Number) })));
    const tenants = body.data.map((it: { tenants: number }) => it.tenants);
    expect(tenants.reduce((sum: number, count: number) => sum + count, 0)).toBe(3);
    expect(body.data).toMatchObject([
      { id: 'shard-1', engine: 'sqlite' },
      { id: 'shard-2', engine: 'sqlite' },
    ]);
  });

  it('refuses a shard that is not there and a strategy that is not available', async () => {
    const body = {
      slug: 'nowhere',
      name: 'x',
      owner: { email: 'o@nowhere.example', password: 'long enough', name: 'x' },
    };
    for (const placement of [{ strategy: 'row', shard: 'shard-9' }, { strategy: 'magic' }]) {
      const answer = await operator.call('/v1/platform/tenants', { body: { ...body, placement } });
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_input' } });
    }
    expect((await operator.call('/v1/platform/tenants/nowhere')).status).toBe(404);
  });
});
