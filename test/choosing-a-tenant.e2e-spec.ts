import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DEMO_OPERATOR } from '#apps/api';
import { runInContext } from '#libs/context';
import { CentralEntityManager } from '#libs/persistence';
import { type TenantDomain, TenantDomains } from '#libs/tenancy';
import { ApiClient, logIn, type SignedUpTenant, signUp, withToken } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

const BASE = 'rowhouse.example';
const SAME_ID = { 'x-request-id': 'same' };

describe('choosing a tenant', () => {
  let test: TestApp;
  let acme: SignedUpTenant;
  let globex: SignedUpTenant;
  let anonymous: ApiClient;
  const both = { email: 'both@people.example', password: 'both of them', name: 'Both' };

  const centrally = <T>(fn: () => Promise<T>) => runInContext({}, fn);
  const addDomain = (tenant: SignedUpTenant, domain: string) =>
    centrally(() => test.app.get(TenantDomains).add(tenant.id, domain));
  const verifyDomain = (tenant: SignedUpTenant, domain: string, says: string) =>
    centrally(() => test.app.get(TenantDomains).verify(tenant.id, domain, async () => [[says]]));
  const mismatches = async (tenant: SignedUpTenant): Promise<string[]> => {
    const { body } = await tenant.owner.call('/v1/audit?action=tenant_mismatch&limit=100');
    return body.data.map((it: { changes: { named: { new: string } } }) => it.changes.named.new);
  };
  const login = (person: { email: string; password: string }, headers: Record<string, string>, tenant?: string) =>
    anonymous.call('/v1/auth/login', { headers, body: { email: person.email, password: person.password, tenant } });

  beforeAll(async () => {
    test = await startTestApp({ TENANT_BASE_DOMAIN: BASE });
    anonymous = new ApiClient(test.app);
    acme = await signUp(test.app, 'acme');
    globex = await signUp(test.app, 'globex');
    for (const tenant of [acme, globex]) {
      const { status } = await tenant.owner.call('/v1/members', { body: { ...both, role: 'member' } });
      expect(status).toBe(201);
    }
    const { challenge } = await addDomain(acme, 'shop.acme.test');
    await verifyDomain(acme, 'shop.acme.test', challenge);
  });
  afterAll(() => test.close());

  const naming: Readonly<Record<string, (slug: string) => { url: string; headers: Record<string, string> }>> = {
    header: (slug) => ({ url: '/v1/products', headers: { 'x-tenant': slug } }),
    'sub-domain': (slug) => ({ url: '/v1/products', headers: { host: `${slug}.${BASE}:8080` } }),
    path: (slug) => ({ url: `/t/${slug}/v1/products`, headers: {} }),
  };

  it.each(Object.entries(naming))('lets the %s repeat what the token says, and nothing else', async (_, name) => {
    const own = name('acme');
    expect((await acme.owner.call(own.url, own)).status).toBe(200);
    const before = await mismatches(acme);
    const answers = await Promise.all(
      ['globex', 'no-such-tenant'].map(async (slug) => {
        const { url, headers } = name(slug);
        const { text, status, body } = await acme.owner.call(url, { headers: { ...headers, ...SAME_ID } });
        expect({ status, code: body.code }).toEqual({ status: 403, code: 'tenant_mismatch' });
        return text.replaceAll(slug, '');
      }),
    );
    expect(answers[0]).toBe(answers[1]);
    expect((await mismatches(acme)).slice(0, 2).sort()).toEqual(['globex', 'no-such-tenant']);
    expect(await mismatches(acme)).toHaveLength(before.length + 2);
    expect(await mismatches(globex)).toEqual([]);
  });

  it.each(Object.entries(naming))('holds keys to their tenant as well, whatever the %s says', async (_, name) => {
    const key = await acme.owner.call('/v1/api-keys', { body: { name: 'k', permissions: ['catalogue:read'] } });
    const machine = new ApiClient(test.app, { 'x-api-key': key.body.key });
    const [own, foreign] = [name('acme'), name('globex')];
    expect((await machine.call(own.url, own)).status).toBe(200);
    expect(await machine.call(foreign.url, foreign)).toMatchObject({ status: 403, body: { code: 'tenant_mismatch' } });
  });

  it('lets a verified domain name its tenant, and one that is only claimed nobody', async () => {
    const at = (host: string) => ({ headers: { host } });
    expect((await acme.owner.call('/v1/products', at('shop.acme.test'))).status).toBe(200);
    expect((await globex.owner.call('/v1/products', at('SHOP.acme.test.:443'))).status).toBe(403);
    const { challenge } = await addDomain(globex, 'shop.globex.test');
    expect((await acme.owner.call('/v1/products', at('shop.globex.test'))).status).toBe(200);
    await expect(verifyDomain(globex, 'shop.globex.test', 'something else')).rejects.toThrow(challenge);
    await verifyDomain(globex, 'shop.globex.test', challenge);
    expect((await acme.owner.call('/v1/products', at('shop.globex.test'))).status).toBe(403);
    await centrally(() => test.app.get(TenantDomains).remove(globex.id, 'shop.globex.test'));
    expect((await acme.owner.call('/v1/products', at('shop.globex.test'))).status).toBe(200);
  });

  it('gives a domain to whoever shows it, not to whoever said so first', async () => {
    await addDomain(globex, 'taken.acme.test');
    const { challenge } = await addDomain(acme, 'TAKEN.acme.test.');
    await expect(verifyDomain(globex, 'taken.acme.test', challenge)).rejects.toThrow(/no domain of this tenant/);
    await verifyDomain(acme, 'taken.acme.test', challenge);
    await expect(addDomain(globex, 'taken.acme.test')).rejects.toThrow(/is taken/);
    for (const domain of ['acme', '127.0.0.1', 'a..b', 'ä.test', '-a.test', 'a_b.test', `${'a'.repeat(64)}.test`]) {
      await expect(addDomain(acme, domain)).rejects.toThrow(/no domain of this tenant/);
    }
  });

  it('leaves a domain unverified that another tenant takes over while it is looked up', async () => {
    const domain = 'raced.acme.test';
    const { challenge } = await addDomain(acme, domain);
    const racing = centrally(() =>
      test.app.get(TenantDomains).verify(acme.id, domain, async () => {
        await addDomain(globex, domain);
        return [[challenge]];
      }),
    );
    await expect(racing).rejects.toThrow(/no domain of this tenant/);
    const [{ verifiedAt }] = (await centrally(() => test.app.get(TenantDomains).list(globex.id))) as [TenantDomain];
    expect(verifiedAt).toBeNull();
  });

  it('takes the host from a proxy only when the proxy is trusted', async () => {
    const spoof = { headers: { 'x-forwarded-host': `globex.${BASE}` } };
    expect((await acme.owner.call('/v1/products', spoof)).status).toBe(200);
    const trusting = await startTestApp({ TENANT_BASE_DOMAIN: BASE, TRUST_PROXY: 'loopback' });
    const { owner } = await signUp(trusting.app, 'acme');
    expect((await owner.call('/v1/products', spoof)).status).toBe(403);
    const last = { headers: { 'x-forwarded-host': `globex.${BASE}, acme.${BASE}` } };
    expect((await owner.call('/v1/products', last)).status).toBe(200);
    await trusting.close();
  });

  it('logs people in to the tenant that host, header or path names', async () => {
    for (const slug of ['acme', 'globex']) {
      const named: Record<string, string>[] = [{ host: `${slug}.${BASE}` }, { 'x-tenant': slug }];
      for (const headers of named) {
        expect((await login(both, headers)).body.tenant.slug).toBe(slug);
      }
      const byPath = await anonymous.call(`/t/${slug}/v1/auth/login`, {
        body: { email: both.email, password: both.password },
      });
      expect(byPath.body.tenant.slug).toBe(slug);
    }
    expect((await login(both, { host: 'shop.acme.test' })).body.tenant.slug).toBe('acme');
    expect((await login(both, {})).body.code).toBe('tenant_required');
    expect((await login(acme, { host: `globex.${BASE}` })).body.code).toBe('unauthenticated');
  });

  it('answers 404 for a tenant that does not exist and 400 for two at once, where credentials name none', async () => {
    const unknown: Record<string, string>[] = [
      { host: `nobody.${BASE}` },
      { 'x-tenant': 'nobody' },
      { 'x-tenant': '' },
    ];
    for (const headers of unknown) {
      expect(await login(both, headers)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    }
    const ambiguous = { status: 400, body: { code: 'tenant_ambiguous' } };
    expect(await login(both, { host: `acme.${BASE}`, 'x-tenant': 'globex' })).toMatchObject(ambiguous);
    expect(await login(both, { host: `acme.${BASE}` }, 'globex')).toMatchObject(ambiguous);
    expect(await login(both, { 'x-tenant': 'acme, globex' })).toMatchObject(ambiguous);
    expect(await login(both, { host: `acme.${BASE}@globex.${BASE}` })).toMatchObject(ambiguous);
    expect((await login(both, { host: `acme.${BASE}`, 'x-tenant': 'acme' }, 'acme')).status).toBe(200);
  });

  it('refuses two hosts, which servers before it may have read the other way', async () => {
    await test.app.listen(0, '127.0.0.1');
    const { port } = test.app.getHttpServer().address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    socket.end(
      [
        'GET /v1/products HTTP/1.1',
        `host: acme.${BASE}`,
        `host: globex.${BASE}`,
        `authorization: Bearer ${acme.token}`,
        'connection: close',
        '',
        '',
      ].join('\r\n'),
    );
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('refuses a refresh token and an invitation at the host of another tenant', async () => {
    const at = (slug: string) => ({ host: `${slug}.${BASE}` });
    const { body: session } = await login(acme, {});
    const refresh = (slug: string) =>
      anonymous.call('/v1/auth/refresh', { headers: at(slug), body: { refreshToken: session.refreshToken } });
    const before = (await mismatches(acme)).length;
    expect(await refresh('globex')).toMatchObject({ status: 403, body: { code: 'tenant_mismatch' } });
    expect(await mismatches(acme)).toHaveLength(before + 1);
    expect((await refresh('acme')).status).toBe(200);
    const invited = await acme.owner.call('/v1/invitations', { body: { email: 'new@people.example', role: 'viewer' } });
    const accept = (slug: string) =>
      anonymous.call('/v1/invitations/accept', {
        headers: at(slug),
        body: { token: invited.body.token, password: 'long enough', name: 'New' },
      });
    expect((await accept('globex')).status).toBe(404);
    expect((await accept('acme')).status).toBe(201);
  });

  it('lets credentials without a tenant select among their memberships, and no other', async () => {
    const operator = withToken(test.app, await logIn(test.app, DEMO_OPERATOR.email, DEMO_OPERATOR.password));
    const me = await operator.call('/v1/auth/me');
    const select = (slug: string) => operator.call('/v1/products', { headers: { 'x-tenant': slug, ...SAME_ID } });
    const strangers = [await select('acme'), await select('no-such-tenant')];
    expect(strangers.map(({ status }) => status)).toEqual([404, 404]);
    expect(strangers[0]?.text.replaceAll('acme', 'no-such-tenant')).toBe(strangers[1]?.text);
    await centrally(() =>
      test.app
        .get(CentralEntityManager)
        .get()
        .execute('insert into membership (user_id, tenant_id, role, created_at) values (?, ?, ?, ?)', [
          me.body.user.id,
          acme.id,
          'viewer',
          new Date(),
        ]),
    );
    expect((await select('acme')).status).toBe(200);
    const write = await operator.call('/v1/products', { headers: { 'x-tenant': 'acme' }, body: {} });
    expect(write).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect((await select('globex')).status).toBe(404);
    expect((await operator.call('/v1/products')).body.code).toBe('tenant_required');
  });

  it('refuses a slug that is easily taken for one that is taken', async () => {
    const signUpAs = (slug: string) =>
      anonymous.call('/v1/tenants', {
        body: { slug, name: 'x', owner: { email: `o@${slug}.example`, password: 'long enough', name: 'x' } },
      });
    for (const slug of ['acrne', 'g1obex', 'gl0bex']) {
      expect(await signUpAs(slug)).toMatchObject({ status: 409, body: { code: 'slug_taken' } });
    }
    expect(await signUpAs('adm1n')).toMatchObject({ status: 400, body: { code: 'invalid_input' } });
    expect((await signUpAs('acne')).status).toBe(201);
  });
});
