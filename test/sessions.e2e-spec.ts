import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiClient, logIn, type SignedUpTenant, signUp, withToken } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

describe('sessions', () => {
  let test: TestApp;
  let acme: SignedUpTenant;
  let globex: SignedUpTenant;
  beforeAll(async () => {
    test = await startTestApp();
    acme = await signUp(test.app, 'acme');
    globex = await signUp(test.app, 'globex');
  });
  afterAll(() => test.close());

  const sessionsOf = async (client: ApiClient) => (await client.call('/v1/auth/sessions')).body.data;

  it('lists the open sessions of the caller, newest first, and says which one asks', async () => {
    const second = withToken(test.app, await logIn(test.app, acme.email, acme.password));
    const listed = await sessionsOf(second);
    expect(listed).toEqual([
      {
        id: expect.any(String),
        current: true,
        createdAt: expect.any(String),
        lastRefreshedAt: expect.any(String),
        expiresAt: expect.any(String),
        ip: '127.0.0.1',
        userAgent: expect.any(String),
      },
      expect.objectContaining({ current: false }),
    ]);
    expect((await sessionsOf(acme.owner)).map((it: { current: boolean }) => it.current)).toEqual([false, true]);
    expect((await second.call('/v1/auth/logout', { method: 'POST' })).status).toBe(204);
    expect(await sessionsOf(acme.owner)).toHaveLength(1);
  });

  it('goes on behind the cursor, and takes no cursor of anybody else', async () => {
    for (let count = 0; count < 2; count++) await logIn(test.app, globex.email, globex.password);
    const first = await globex.owner.call('/v1/auth/sessions?limit=2');
    const rest = await globex.owner.call(`/v1/auth/sessions?limit=2&cursor=${first.body.nextCursor}`);
    expect(rest.body.nextCursor).toBeNull();
    const ids = [...first.body.data, ...rest.body.data].map((it: { id: string }) => it.id);
    expect(new Set(ids).size).toBe(3);
    const foreign = await acme.owner.call(`/v1/auth/sessions?cursor=${first.body.nextCursor}`);
    expect(foreign).toMatchObject({ status: 400, body: { code: 'invalid_input' } });
    expect((await acme.owner.call('/v1/auth/sessions?limit=0')).status).toBe(400);
  });

  it('ends a session from its next request on, the own one too', async () => {
    const other = withToken(test.app, await logIn(test.app, acme.email, acme.password));
    const own = (await sessionsOf(other)).find((it: { current: boolean }) => it.current);
    expect((await acme.owner.call(`/v1/auth/sessions/${own.id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await other.call('/v1/auth/me')).status).toBe(401);
    expect((await acme.owner.call('/v1/auth/me')).status).toBe(200);
    const third = withToken(test.app, await logIn(test.app, acme.email, acme.password));
    const [mine] = await sessionsOf(third);
    expect((await third.call(`/v1/auth/sessions/${mine.id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await third.call('/v1/auth/me')).status).toBe(401);
  });

  it('answers the session of somebody else, an ended one and none at all alike, and ends nothing', async () => {
    const [theirs] = await sessionsOf(globex.owner);
    const gone = withToken(test.app, await logIn(test.app, acme.email, acme.password));
    const [ended] = await sessionsOf(gone);
    await gone.call('/v1/auth/logout', { method: 'POST' });
    const ids = [theirs.id, ended.id, '019aa000-0000-7000-8000-000000000000', 'x'];
    for (const id of ids) {
      const answer = await acme.owner.call(`/v1/auth/sessions/${id}`, { method: 'DELETE' });
      expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
    }
    expect((await globex.owner.call('/v1/auth/me')).status).toBe(200);
  });

  it('shows and ends no session that the same person has in another tenant', async () => {
    const anonymous = new ApiClient(test.app);
    const owner = { email: 'two@tenants.example', password: 'long enough', name: 'Two' };
    for (const slug of ['first-one', 'second-one']) {
      await anonymous.call('/v1/tenants', { body: { slug, name: slug, owner } });
    }
    const clients = await Promise.all(
      ['first-one', 'second-one'].map(async (tenant) => {
        const { body } = await anonymous.call('/v1/auth/login', { body: { ...owner, name: undefined, tenant } });
        return withToken(test.app, body.accessToken);
      }),
    );
    const [first, second] = clients as [ApiClient, ApiClient];
    const [inSecond, ...others] = await sessionsOf(second);
    expect(others).toEqual([]);
    expect((await first.call(`/v1/auth/sessions/${inSecond.id}`, { method: 'DELETE' })).status).toBe(404);
    expect((await second.call('/v1/auth/me')).status).toBe(200);
  });
});
