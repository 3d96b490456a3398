import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { logIn, type SignedUpTenant, signUp, withToken } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

const book = {
  type: 'book',
  name: 'Tea',
  price: { amount: 1250, currency: 'EUR' },
  isbn: '9783161484100',
  tags: ['a'],
};

describe('the history of a product over HTTP', () => {
  let test: TestApp;
  let acme: SignedUpTenant;
  let globex: SignedUpTenant;
  beforeAll(async () => {
    test = await startTestApp();
    acme = await signUp(test.app, 'acme');
    globex = await signUp(test.app, 'globex');
  });
  afterAll(() => test.close());

  const call = (url: string, method?: 'PATCH' | 'DELETE', body?: object) => acme.owner.call(url, { method, body });

  /** A product that was created and changed twice, with the times between. */
  async function aProductWithAPast(sku: string) {
    const before = new Date();
    await delay(2);
    const { body: created } = await call('/v1/products', undefined, { ...book, sku });
    const url = `/v1/products/${created.id}`;
    await delay(2);
    const between = new Date();
    await delay(2);
    const { body: changed } = await call(url, 'PATCH', { price: { amount: 1300, currency: 'EUR' }, tags: [] });
    await call(url, 'PATCH', { isbn: '1' });
    return { id: created.id as string, url, created, changed, before, between };
  }

  it('lists who changed what, newest first, page by page', async () => {
    const { url } = await aProductWithAPast('listed');
    const { body } = await call(`${url}/versions`);
    expect(body.data.map(({ version, action }: { version: number; action: string }) => [version, action])).toEqual([
      [3, 'update'],
      [2, 'update'],
      [1, 'create'],
    ]);
    expect(body.data[1]).toMatchObject({
      at: expect.stringMatching(/Z$/),
      actor: { email: acme.email },
      changes: { 'price.amount': { old: 1250, new: 1300 }, tags: { old: ['a'], new: [] } },
    });
    const { body: page } = await call(`${url}/versions?limit=2`);
    expect([page.data.length, page.nextBefore]).toEqual([2, 2]);
    expect((await call(`${url}/versions?limit=2&before=2`)).body).toMatchObject({
      data: [{ version: 1 }],
      nextBefore: null,
    });
  });

  it('shows a product as it was at a time, exactly as it was shown then', async () => {
    const { url, created, before, between } = await aProductWithAPast('as-of');
    expect((await call(`${url}?asOf=${between.toISOString()}`)).body).toEqual(created);
    const now = new Date(Date.now() + 1000).toISOString();
    expect((await call(`${url}?asOf=${now}`)).body).toEqual((await call(url)).body);
    expect((await call(`${url}?asOf=${before.toISOString()}`)).status).toBe(404);
    await call(url, 'DELETE');
    expect((await call(`${url}?asOf=${now}`)).status).toBe(404);
    expect((await call(`${url}?asOf=${between.toISOString()}`)).body).toEqual(created);
  });

  it('shows it filed and tagged as it was then, under categories and tags that are gone by now', async () => {
    const { body: category } = await call('/v1/categories', undefined, { name: 'Novels' });
    const { body: created } = await call('/v1/products', undefined, {
      ...book,
      sku: 'filed',
      tags: ['gone', 'kept'],
      categoryId: category.id,
    });
    const url = `/v1/products/${created.id}`;
    await delay(2);
    const then = new Date().toISOString();
    await delay(2);
    await call(url, 'PATCH', { categoryId: null, tags: ['kept'] });
    const { body: tags } = await call('/v1/tags?limit=100');
    const gone = tags.data.find(({ name }: { name: string }) => name === 'gone');
    expect((await call(`/v1/categories/${category.id}`, 'DELETE')).status).toBe(204);
    expect((await call(`/v1/tags/${gone.id}`, 'DELETE')).status).toBe(204);
    expect(created).toMatchObject({ categoryId: category.id, tags: ['gone', 'kept'] });
    expect((await call(`${url}?asOf=${then}`)).body).toEqual(created);
    expect((await call(url)).body).toMatchObject({ categoryId: null, tags: ['kept'] });
  });

  it('shows what was deleted at every time at which it existed, and no other', async () => {
    const { id, url, changed, before, between } = await aProductWithAPast('gone-and-back');
    const at = (time: Date) => call(`${url}?asOf=${time.toISOString()}`);
    await call(url, 'DELETE');
    const removed = new Date();
    await delay(2);
    await call(`${url}/revert`, undefined, { version: 2 });
    await delay(2);
    const again = new Date();
    await delay(2);
    await call(url, 'DELETE');
    const statuses = [before, between, removed, again, new Date(Date.now() + 1000)].map(
      async (it) => (await at(it)).status,
    );
    expect(await Promise.all(statuses)).toEqual([404, 200, 404, 200, 404]);
    expect((await at(again)).body).toMatchObject({ id, price: changed.price, tags: [], isbn: book.isbn });
  });

  it('is for whoever may read the trail, and each look at it is on record there', async () => {
    const { id, url, between } = await aProductWithAPast('guarded');
    const account = { email: 'val@people.example', name: 'Val', password: 'password of val', role: 'member' };
    await acme.owner.call('/v1/members', { body: account });
    const member = withToken(test.app, await logIn(test.app, account.email, account.password));
    const looks = [`?asOf=${between.toISOString()}`, '/versions', '/diff?from=1&to=2'];
    expect((await member.call(url)).status).toBe(200);
    expect((await member.call(url, { method: 'PATCH', body: { isbn: '2' } })).status).toBe(200);
    for (const look of looks) expect(await member.call(url + look)).toMatchObject({ status: 403 });
    for (const body of [{ version: 1, dryRun: true }, { version: 1 }]) {
      expect(await member.call(`${url}/revert`, { body })).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    }
    for (const look of looks) expect((await call(url + look)).status).toBe(200);
    const { data } = (await call('/v1/audit?action=audit_read&limit=3')).body;
    expect(data.map((it: { changes: object }) => it.changes).reverse()).toEqual([
      { stateOf: { old: null, new: id }, at: { old: null, new: between.toISOString() } },
      { versionsOf: { old: null, new: id } },
      { differencesOf: { old: null, new: id }, from: { old: null, new: 1 }, to: { old: null, new: 2 } },
    ]);
  });

  it('tells what differs between two versions', async () => {
    const { url } = await aProductWithAPast('diffed');
    const { body } = await call(`${url}/diff?from=1&to=3`);
    expect(body).toMatchObject({
      from: 1,
      to: 3,
      changes: { 'price.amount': { old: 1250, new: 1300 }, isbn: { old: book.isbn, new: '1' } },
    });
    expect(body.changes.sku).toBeUndefined();
    expect((await call(`${url}/diff?from=1&to=9`)).status).toBe(404);
  });

  it('puts a version back as a new change, and brings a deleted product back', async () => {
    const { id, url, created } = await aProductWithAPast('reverted');
    const { version: _, updatedAt: __, ...constant } = created;
    const reverted = await call(`${url}/revert`, undefined, { version: 1 });
    expect(reverted).toMatchObject({ status: 200, body: { ...constant, version: 4 }, headers: { etag: '"v4"' } });
    await call(url, 'DELETE');
    expect((await call(`${url}/revert`, undefined, { version: 4, dryRun: true })).body).toMatchObject({
      undeleted: true,
    });
    expect((await call(url)).status).toBe(404);
    expect((await call(`${url}/revert`, undefined, { version: 4 })).body).toMatchObject(constant);
    expect((await call(url)).status).toBe(200);
    const { body } = await call(`/v1/audit?action=revert&entityId=${id}`);
    expect(body.data.map((it: { changes: object }) => it.changes)).toEqual([
      { toVersion: { old: null, new: 4 } },
      { toVersion: { old: null, new: 1 } },
    ]);
  });

  it('answers 409 with what stands against it', async () => {
    const { url } = await aProductWithAPast('wanted');
    await call(url, 'PATCH', { sku: 'given-up' });
    await call('/v1/products', undefined, { ...book, sku: 'wanted' });
    const before = (await call(url)).body;
    expect(await call(`${url}/revert`, undefined, { version: 1 })).toMatchObject({
      status: 409,
      body: { code: 'conflict', errors: [{ pointer: '/sku' }] },
    });
    expect((await call(url)).body).toEqual(before);
  });

  it('has on record who was told what a version would change, or what stands against it', async () => {
    const { id, url } = await aProductWithAPast('tried');
    await call(url, 'PATCH', { sku: 'tried-no-more' });
    await call('/v1/products', undefined, { ...book, sku: 'tried' });
    const revert = (body: object, headers = {}) => acme.owner.call(`${url}/revert`, { body, headers });
    expect((await revert({ version: 4, dryRun: true })).status).toBe(200);
    expect((await revert({ version: 1, dryRun: true })).status).toBe(409);
    // The transaction of a key is rolled back, and what it has done with it.
    expect((await revert({ version: 2 }, { 'idempotency-key': 'tried-2' })).status).toBe(409);
    expect((await revert({ version: 99 })).status).toBe(404);
    const { data } = (await call('/v1/audit?action=audit_read&limit=3')).body;
    expect(data.map((it: { changes: object }) => it.changes).reverse()).toEqual([
      { revertOf: { old: null, new: id }, version: { old: null, new: 4 } },
      { conflictsOf: { old: null, new: id }, version: { old: null, new: 1 } },
      { conflictsOf: { old: null, new: id }, version: { old: null, new: 2 } },
    ]);
  });

  it("answers another tenant's product like one that never existed", async () => {
    const { url } = await aProductWithAPast('foreign');
    const nowhere = '/v1/products/01900000-0000-7000-8000-000000000000';
    const now = new Date().toISOString();
    for (const [path, body] of [
      ['/versions'],
      ['/diff?from=1&to=2'],
      [`?asOf=${now}`],
      ['/revert', { version: 1 }],
    ] as const) {
      const [foreign, unknown] = [
        await globex.owner.call(url + path, { body }),
        await globex.owner.call(nowhere + path, { body }),
      ];
      const told = ({ status, text }: { status: number; text: string }) => [
        status,
        text.replaceAll(/[0-9a-f-]{36}/g, 'ID'),
      ];
      expect(told(foreign)).toEqual(told(unknown));
      expect(foreign.status).toBe(404);
    }
    expect((await call(url)).status).toBe(200);
  });

  it('refuses what is no version and no time', async () => {
    const { url } = await aProductWithAPast('refused');
    for (const path of ['/diff?from=0&to=1', '/diff?from=1', '?asOf=yesterday', '/versions?limit=0', '/versions?x=1']) {
      expect(await call(url + path)).toMatchObject({ status: 400, body: { code: 'invalid_input' } });
    }
    for (const body of [{}, { version: 0 }, { version: '1' }, { version: 1, force: true }]) {
      expect((await call(`${url}/revert`, undefined, body)).status).toBe(400);
    }
  });
});
