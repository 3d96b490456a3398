import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DEMO_OPERATOR } from '#apps/api';
import { ApiClient, logIn, type SignedUpTenant, signUp, withToken } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

/** A member made for one case. */
interface Somebody {
  readonly id: string;
  readonly email: string;
  readonly client: ApiClient;
}

describe('members', () => {
  let test: TestApp;
  let acme: SignedUpTenant;
  let globex: SignedUpTenant;
  let anonymous: ApiClient;
  let count = 0;
  beforeAll(async () => {
    test = await startTestApp();
    anonymous = new ApiClient(test.app);
    acme = await signUp(test.app, 'acme');
    globex = await signUp(test.app, 'globex');
  });
  afterAll(() => test.close());

  const password = 'long enough';
  async function add(role: string, by = acme.owner): Promise<Somebody> {
    const email = `${role}-${count++}@people.example`;
    const { status, body } = await by.call('/v1/members', { body: { email, name: 'Pat', password, role } });
    if (status !== 201) throw new Error(`Adding a member answered ${status}: ${JSON.stringify(body)}`);
    return { id: body.id, email, client: withToken(test.app, await logIn(test.app, email, password)) };
  }
  const change = (by: ApiClient, id: string, role: string) =>
    by.call(`/v1/members/${id}`, { method: 'PATCH', body: { role } });
  const remove = (by: ApiClient, id: string) => by.call(`/v1/members/${id}`, { method: 'DELETE' });
  const idOf = async (client: ApiClient) => (await client.call('/v1/auth/me')).body.user.id as string;

  it('lists the people of the own tenant, those who came first first, page by page', async () => {
    const tenant = await signUp(test.app, 'listed');
    const admin = await add('admin', tenant.owner);
    const viewer = await add('viewer', admin.client);
    const first = await viewer.client.call('/v1/members?limit=2');
    expect(first.body.data).toEqual([
      { id: expect.any(String), email: tenant.email, name: 'Olga Owner', role: 'owner', createdAt: expect.any(String) },
      { id: admin.id, email: admin.email, name: 'Pat', role: 'admin', createdAt: expect.any(String) },
    ]);
    const second = await viewer.client.call(`/v1/members?limit=2&cursor=${first.body.nextCursor}`);
    expect(second.body).toMatchObject({ data: [{ id: viewer.id, role: 'viewer' }], nextCursor: null });
    expect((await globex.owner.call(`/v1/members?cursor=${first.body.nextCursor}`)).status).toBe(400);
  });

  it('lets each role do what it may, and no more', async () => {
    const product = { type: 'book', sku: 'b', name: 'B', price: { amount: 1, currency: 'EUR' }, isbn: '9780262046305' };
    const invitation = { email: 'x@people.example', role: 'viewer' };
    const may: Record<string, number[]> = {};
    for (const role of ['admin', 'member', 'viewer']) {
      const { client } = await add(role);
      may[role] = [
        (await client.call('/v1/products')).status,
        (await client.call('/v1/products', { body: { ...product, sku: role } })).status,
        (await client.call('/v1/audit')).status,
        (await client.call('/v1/invitations', { body: invitation })).status,
      ];
    }
    expect(may).toEqual({
      admin: [200, 201, 200, 201],
      member: [200, 201, 403, 403],
      viewer: [200, 403, 403, 403],
    });
  });

  it('acts on the next request of a member whose role changed or who was taken out', async () => {
    const { id, client } = await add('admin');
    expect((await client.call('/v1/audit')).status).toBe(200);
    expect(await change(acme.owner, id, 'viewer')).toMatchObject({ status: 200, body: { id, role: 'viewer' } });
    expect(await client.call('/v1/audit')).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect((await client.call('/v1/auth/me')).body.role).toBe('viewer');
    expect((await remove(acme.owner, id)).status).toBe(204);
    expect(await client.call('/v1/products')).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    expect((await remove(acme.owner, id)).status).toBe(404);
  });

  it('brings no old session back with a membership that is given again', async () => {
    const { id, email, client } = await add('member');
    await remove(acme.owner, id);
    const again = await acme.owner.call('/v1/members', { body: { email, name: 'Pat', password, role: 'member' } });
    expect(again.status).toBe(201);
    expect((await client.call('/v1/products')).status).toBe(401);
  });

  it('keeps the owner role to owners', async () => {
    const admin = await add('admin');
    const owner = await add('owner');
    const viewer = await add('viewer');
    const answers = [
      await change(admin.client, viewer.id, 'owner'),
      await change(admin.client, admin.id, 'owner'),
      await change(admin.client, owner.id, 'viewer'),
      await remove(admin.client, owner.id),
      await admin.client.call('/v1/members', { body: { email: 'o@x.example', name: 'O', password, role: 'owner' } }),
      await admin.client.call('/v1/invitations', { body: { email: 'o@x.example', role: 'owner' } }),
      await change(viewer.client, viewer.id, 'admin'),
      await remove(viewer.client, admin.id),
    ];
    expect(answers.map(({ status, body }) => [status, body.code])).toEqual(Array(8).fill([403, 'forbidden']));
    expect((await change(acme.owner, owner.id, 'admin')).status).toBe(200);
    expect((await remove(viewer.client, viewer.id)).status).toBe(204);
  });

  it('leaves no tenant without an owner, also when two demote each other at once', async () => {
    const tenant = await signUp(test.app, 'one-owner');
    const first = await idOf(tenant.owner);
    const refused = [await change(tenant.owner, first, 'admin'), await remove(tenant.owner, first)];
    expect(refused.map(({ status, body }) => [status, body.code])).toEqual(Array(2).fill([409, 'conflict']));
    const second = await add('owner', tenant.owner);
    const raced = await Promise.all([
      change(tenant.owner, second.id, 'viewer'),
      change(second.client, first, 'viewer'),
    ]);
    expect(raced.filter(({ status }) => status === 200)).toHaveLength(1);
    const operator = withToken(test.app, await logIn(test.app, DEMO_OPERATOR.email, DEMO_OPERATOR.password));
    expect((await operator.call('/v1/platform/tenants/one-owner')).status).toBe(200);
    const left = (await tenant.owner.call('/v1/members')).body.data as { role: string }[];
    expect(left.filter(({ role }) => role === 'owner')).toHaveLength(1);
  });

  it("answers another tenant's member, somebody who left and nobody alike, and changes nothing", async () => {
    const theirs = await add('viewer', globex.owner);
    const left = await add('viewer');
    await remove(acme.owner, left.id);
    for (const id of [theirs.id, left.id, '019aa000-0000-7000-8000-000000000000', 'x']) {
      expect(await change(acme.owner, id, 'admin')).toMatchObject({ status: 404, body: { code: 'not_found' } });
      expect(await remove(acme.owner, id)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    }
    expect((await theirs.client.call('/v1/auth/me')).body.role).toBe('viewer');
  });

  it('does not tell whether a guess was the password of an account', async () => {
    const guess = (index: number) =>
      acme.owner.call('/v1/members', {
        body: { email: globex.email, name: 'G', password: `guess number ${index}`, role: 'viewer' },
      });
    const statuses: number[] = [];
    for (let index = 0; index < 12; index++) statuses.push((await guess(index)).status);
    expect(statuses).toEqual([...Array(10).fill(409), 429, 429]);
    const owner = { email: globex.email, name: 'G', password: 'another guess' };
    const signUpGuess = await anonymous.call('/v1/tenants', { body: { slug: 'guessed', name: 'G', owner } });
    expect(signUpGuess).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
  });

  it('puts every change on record in the tenant it concerns', async () => {
    const tenant = await signUp(test.app, 'recorded');
    const { id, client } = await add('member', tenant.owner);
    await change(tenant.owner, id, 'admin');
    await remove(client, id);
    const { body } = await tenant.owner.call(`/v1/audit?entity=Membership&entityId=${id}`);
    const told = body.data.map((it: { action: string; changes: object; actor: { email: string } }) => [
      it.action,
      it.changes,
      it.actor.email,
    ]);
    expect(told).toEqual([
      ['member_left', { role: { old: null, new: 'admin' } }, expect.stringContaining('member-')],
      [
        'member_role_changed',
        { role: { old: null, new: 'admin' }, before: { old: null, new: 'member' } },
        tenant.email,
      ],
      ['member_added', { role: { old: null, new: 'member' } }, tenant.email],
    ]);
    const elsewhere = await acme.owner.call(`/v1/audit?entity=Membership&entityId=${id}`);
    expect(elsewhere.body.data).toEqual([]);
  });
});

describe('invitations', () => {
  let test: TestApp;
  let acme: SignedUpTenant;
  let anonymous: ApiClient;
  beforeAll(async () => {
    test = await startTestApp();
    anonymous = new ApiClient(test.app);
    acme = await signUp(test.app, 'acme');
  });
  afterAll(() => test.close());

  const password = 'long enough';
  const invite = async (email: string, role = 'member') =>
    (await acme.owner.call('/v1/invitations', { body: { email, role } })).body as { id: string; token: string };
  const accept = (token: string, rest: object = { password, name: 'Ina' }) =>
    anonymous.call('/v1/invitations/accept', { body: { token, ...rest } });

  it('lets somebody in as what the invitation says, once', async () => {
    const answer = await acme.owner.call('/v1/invitations', { body: { email: 'Ina@People.example', role: 'viewer' } });
    expect(answer).toMatchObject({ status: 201, body: { email: 'ina@people.example', role: 'viewer' } });
    const accepted = await accept(answer.body.token);
    expect(accepted.status).toBe(201);
    expect(accepted.body).toEqual({
      tenant: { id: acme.id, slug: 'acme', name: 'ACME', status: 'active' },
      member: {
        id: expect.any(String),
        email: 'ina@people.example',
        name: 'Ina',
        role: 'viewer',
        createdAt: expect.any(String),
      },
    });
    const client = withToken(test.app, await logIn(test.app, 'ina@people.example', password));
    expect((await client.call('/v1/auth/me')).body).toMatchObject({ role: 'viewer', tenant: { slug: 'acme' } });
    expect(await accept(answer.body.token)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    const { body } = await acme.owner.call(`/v1/audit?entity=Invitation&entityId=${answer.body.id}`);
    expect(body.data.map((it: { action: string; actor: { email: string } }) => [it.action, it.actor.email])).toEqual([
      ['invitation_accepted', 'ina@people.example'],
      ['member_invited', acme.email],
    ]);
  });

  it('lets one of two who accept at once in', async () => {
    const { token } = await invite('race@people.example');
    const answers = await Promise.all([accept(token), accept(token)]);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 404 || status === 409)).toHaveLength(1);
  });

  it('refuses what is made up, changed, replaced or run out, with one answer', async () => {
    const replaced = await invite('again@people.example');
    const { id, token } = await invite('again@people.example');
    const overdue = await invite('late@people.example');
    const { CentralDatabase } = await import('../apps/api/src/storage/central-database.js');
    const { orm } = test.app.get(CentralDatabase);
    await orm.em.fork().execute('update `invitation` set `expires_at` = 1 where `id` = ?', [overdue.id]);
    const changed = `${token.slice(0, -2)}${token.endsWith('A') ? 'BB' : 'AA'}`;
    const answers = [];
    for (const wrong of [
      replaced.token,
      overdue.token,
      changed,
      id,
      `rhi_${acme.token.slice(0, 64)}`,
      'rhi_',
      `rhi_${'A'.repeat(64)}`,
    ]) {
      answers.push(await accept(wrong));
    }
    const seen = answers.map(({ status, body }) => JSON.stringify({ status, ...body, requestId: '' }));
    expect(new Set(seen).size).toBe(1);
    expect(answers[0]).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect((await accept(token)).status).toBe(201);
  });

  it('joins the account that the e-mail has, for who knows its password', async () => {
    const globex = await signUp(test.app, 'globex');
    const { token } = await invite(globex.email);
    expect(await accept(token)).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect((await accept(token, { password: globex.password })).body.member.name).toBe('Olga Owner');
    const login = { email: globex.email, password: globex.password };
    expect((await anonymous.call('/v1/auth/login', { body: login })).body.code).toBe('tenant_required');
    expect((await anonymous.call('/v1/auth/login', { body: { ...login, tenant: 'acme' } })).status).toBe(200);
    expect((await accept((await invite(globex.email)).token, { password: globex.password })).status).toBe(409);
  });

  it('lets nobody into a suspended tenant', async () => {
    const tenant = await signUp(test.app, 'hooli');
    const operator = withToken(test.app, await logIn(test.app, DEMO_OPERATOR.email, DEMO_OPERATOR.password));
    const { body } = await tenant.owner.call('/v1/invitations', { body: { email: 'h@people.example' } });
    await operator.call('/v1/platform/tenants/hooli', { method: 'PATCH', body: { status: 'suspended' } });
    expect(await accept(body.token)).toMatchObject({ status: 403, body: { code: 'tenant_suspended' } });
    await operator.call('/v1/platform/tenants/hooli', { method: 'PATCH', body: { status: 'active' } });
    expect((await accept(body.token)).status).toBe(201);
  });

  it('keeps no token: the database holds a hash', async () => {
    const { id, token } = await invite('hash@people.example');
    const { CentralDatabase } = await import('../apps/api/src/storage/central-database.js');
    const { orm } = test.app.get(CentralDatabase);
    const [row] = await orm.em.fork().execute('select * from `invitation` where `id` = ?', [id]);
    expect(row).toMatchObject({ id, email: 'hash@people.example' });
    expect(JSON.stringify(row)).not.toContain(token.slice(4, 40));
    expect(JSON.stringify(row)).not.toContain(token.slice(-20));
  });
});
