import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type SignedUpTenant, signUp } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

const book = { type: 'book', name: 'The Book of Tea', price: { amount: 1250, currency: 'EUR' }, isbn: '9783161484100' };

describe('the audit trail over HTTP', () => {
  let test: TestApp;
  let acme: SignedUpTenant;
  let globex: SignedUpTenant;
  beforeAll(async () => {
    test = await startTestApp();
    acme = await signUp(test.app, 'acme');
    globex = await signUp(test.app, 'globex');
  });
  afterAll(() => test.close());

  const trail = async (query: string, of = acme) => (await of.owner.call(`/v1/audit?${query}`)).body;

  it('begins with the sign-up', async () => {
    const { data } = await trail('action=tenant_created');
    expect(data).toMatchObject([
      { action: 'tenant_created', actor: { type: 'user', email: acme.email }, method: 'POST', route: '/v1/tenants' },
    ]);
  });

  it('tells who changed what from which request, old and new, across both tables of a product', async () => {
    const headers = { 'user-agent': 'spec/1', 'x-request-id': 'create-1' };
    const { body: created } = await acme.owner.call('/v1/products', {
      headers,
      body: { ...book, sku: 'told', tags: ['a'] },
    });
    const url = `/v1/products/${created.id}`;
    const patch = { name: 'Tea', isbn: '1', price: { amount: 1300, currency: 'EUR' } };
    await acme.owner.call(url, { method: 'PATCH', headers: { 'x-request-id': 'patch-1' }, body: patch });
    await acme.owner.call(url, { method: 'PATCH', body: patch });
    await acme.owner.call(url, { method: 'DELETE', headers: { 'x-request-id': 'delete-1' } });

    const { data } = await trail(`entity=Book&entityId=${created.id}`);
    expect(data.map((it: { action: string; requestId: string }) => [it.action, it.requestId])).toEqual([
      ['delete', 'delete-1'],
      ['update', 'patch-1'],
      ['create', 'create-1'],
    ]);
    const [removal, change, creation] = data;
    expect(creation).toMatchObject({
      entity: 'Book',
      entityId: created.id,
      at: expect.stringMatching(/Z$/),
      actor: { type: 'user', email: acme.email },
      method: 'POST',
      route: '/v1/products',
      ip: '127.0.0.1',
      userAgent: 'spec/1',
      changes: {
        sku: { old: null, new: 'told' },
        isbn: { old: null, new: book.isbn },
        tags: { old: null, new: ['a'] },
      },
    });
    expect(change.changes).toMatchObject({
      name: { old: book.name, new: 'Tea' },
      isbn: { old: book.isbn, new: '1' },
      'price.amount': { old: 1250, new: 1300 },
      version: { old: 1, new: 2 },
    });
    expect(Object.keys(change.changes).sort()).toEqual(['isbn', 'name', 'price.amount', 'updatedAt', 'version']);
    expect(removal.changes).toMatchObject({ name: { old: 'Tea', new: null }, isbn: { old: '1', new: null } });
    expect((await acme.owner.call(`/v1/audit/${change.id}`)).body).toEqual(change);
  });

  it("has the client's address from proxies that are trusted, and from nobody else, and the reason that was given", async () => {
    const proxied = await startTestApp({ TRUST_PROXY: 'loopback' });
    const [direct, behind] = [acme.owner, (await signUp(proxied.app, 'acme')).owner];
    const seen = [direct, behind].map(async (owner) => {
      // The last one is what the proxy itself has seen; what stands before it anybody may have written.
      const headers = { 'x-forwarded-for': '203.0.113.9, 198.51.100.7', 'x-audit-reason': 'ticket 4711' };
      await owner.call('/v1/tags', { body: { name: 'forwarded' }, headers });
      return (await owner.call('/v1/audit?entity=Tag&action=create&limit=1')).body.data;
    });
    const [[own], [forwarded]] = (await Promise.all(seen)) as [[object], [object]];
    await proxied.close();
    expect(own).toMatchObject({ ip: '127.0.0.1', reason: 'ticket 4711' });
    expect(forwarded).toMatchObject({ ip: '198.51.100.7', reason: 'ticket 4711' });
  });

  it('has nothing of a change that failed', async () => {
    await acme.owner.call('/v1/products', { body: { ...book, sku: 'taken' } });
    const before = await trail('action=create&limit=100');
    expect((await acme.owner.call('/v1/products', { body: { ...book, sku: 'taken' } })).status).toBe(409);
    expect(await trail('action=create&limit=100')).toEqual(before);
  });

  it('records the attempt to speak for another tenant, in the own trail', async () => {
    await acme.owner.call('/v1/products', { headers: { 'x-tenant': 'globex', 'x-request-id': 'spoof-1' } });
    const { data } = await trail('action=tenant_mismatch');
    expect(data).toMatchObject([{ requestId: 'spoof-1', actor: { email: acme.email } }]);
    expect((await trail('action=tenant_mismatch', globex)).data).toEqual([]);
  });

  it('pages through everything once, newest first', async () => {
    for (let index = 0; index < 5; index++)
      await acme.owner.call('/v1/products', { body: { ...book, sku: `p-${index}` } });
    const { data: whole } = await trail('entity=Book&limit=100');
    const paged: unknown[] = [];
    let cursor: string | null = '';
    for (let page = 0; cursor !== null && page < 20; page++) {
      const next: { data: unknown[]; nextCursor: string | null } = await trail(
        `entity=Book&limit=3${cursor ? `&cursor=${cursor}` : ''}`,
      );
      paged.push(...next.data);
      cursor = next.nextCursor;
    }
    expect(paged).toEqual(whole);
    const times = whole.map((it: { at: string }) => it.at);
    expect(times).toEqual([...times].sort().reverse());
  });

  it('narrows by time and actor, and refuses what is no time, number or cursor', async () => {
    const later = new Date(Date.now() + 60_000).toISOString();
    expect((await trail(`from=${later}`)).data).toEqual([]);
    expect((await trail(`to=${later}&limit=1`)).data).toHaveLength(1);
    const { user } = (await acme.owner.call('/v1/auth/me')).body;
    expect((await trail(`actorId=${user.id}&limit=1`)).data).toHaveLength(1);
    expect((await trail('actorId=nobody')).data).toEqual([]);
    for (const query of ['from=yesterday', 'limit=0', 'limit=abc', 'cursor=abc', 'colour=red']) {
      const answer = await acme.owner.call(`/v1/audit?${query}`);
      expect(answer).toMatchObject({
        status: 400,
        body: { code: 'invalid_input', errors: [{ parameter: query.split('=')[0] }] },
      });
    }
  });

  it('tells who has looked at the trail, and after what', async () => {
    await acme.owner.call('/v1/audit?action=delete&limit=7', { headers: { 'x-request-id': 'look-1' } });
    const { data } = await trail('action=audit_read&limit=1');
    expect(data).toMatchObject([
      {
        requestId: 'look-1',
        actor: { email: acme.email },
        changes: { action: { old: null, new: 'delete' }, limit: { new: 7 } },
      },
    ]);
  });

  it('shows a tenant nothing of another', async () => {
    const { data: theirs } = await trail('limit=100');
    const { data: ours } = await trail('limit=100', globex);
    expect(JSON.stringify(ours)).not.toContain('acme');
    const answer = await globex.owner.call(`/v1/audit/${theirs[0].id}`);
    expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });
});
