import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { type SignedUpTenant, signUp } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

const price = { amount: 1250, currency: 'EUR' };
const book = { type: 'book', sku: 'tea', name: 'The Book of Tea', price, isbn: '9783161484100' };

describe('the catalogue', () => {
  let test: TestApp;
  let acme: SignedUpTenant;
  let globex: SignedUpTenant;
  beforeAll(async () => {
    test = await startTestApp();
    acme = await signUp(test.app, 'acme');
    globex = await signUp(test.app, 'globex');
  });
  afterAll(() => test.close());

  it.each([
    { ...book, sku: 'b-1' },
    { type: 'electronic', sku: 'e-1', name: 'Lamp 💡', price, stock: 3, tags: ['light', '灯'], warrantyMonths: 24 },
    { type: 'digital', sku: 'd-1', name: 'Song', price, downloadSizeKb: 9_007_199_254_740 },
    { type: 'digital', sku: 'd-2', name: 'Film', price },
  ])('keeps a product of type $type as it was given ($sku)', async (input) => {
    const created = await acme.owner.call('/v1/products', { body: input });
    expect(created.status).toBe(201);
    expect(created.headers.location).toBe(`/v1/products/${created.body.id}`);
    expect(created.headers.etag).toBe('"v1"');
    const read = await acme.owner.call(String(created.headers.location));
    expect(read.status).toBe(200);
    expect(read.headers.etag).toBe('"v1"');
    expect(read.body).toEqual(created.body);
    expect(read.body).toMatchObject({ stock: 0, tags: [], ...input, version: 1 });
    expect(read.body.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(read.body).not.toHaveProperty('tenantId');
  });

  it('refuses a second product of one sku, and lets another tenant have it', async () => {
    const body = { ...book, sku: 'twice' };
    expect((await acme.owner.call('/v1/products', { body })).status).toBe(201);
    const second = await acme.owner.call('/v1/products', { body });
    expect(second).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect((await globex.owner.call('/v1/products', { body })).status).toBe(201);
  });

  it('answers with 304 when the client has this version already', async () => {
    const { body } = await acme.owner.call('/v1/products', { body: { ...book, sku: 'cached' } });
    const url = `/v1/products/${body.id}`;
    const known = await acme.owner.call(url, { headers: { 'if-none-match': '"v1"' } });
    expect(known).toMatchObject({ status: 304, text: '' });
    expect((await acme.owner.call(url, { headers: { 'if-none-match': '"v2"' } })).status).toBe(200);
  });

  it('changes what a patch names, and nothing else', async () => {
    const { body: before } = await acme.owner.call('/v1/products', { body: { ...book, sku: 'patched', tags: ['a'] } });
    const { status, body, headers } = await acme.owner.call(`/v1/products/${before.id}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json', 'if-match': '"v1"' },
      body: { price: { amount: 1, currency: 'USD' }, isbn: '316148410X' },
    });
    expect(status).toBe(200);
    expect(headers.etag).toBe('"v2"');
    const { updatedAt, ...rest } = body;
    const { updatedAt: _, ...kept } = before;
    expect(rest).toEqual({ ...kept, price: { amount: 1, currency: 'USD' }, isbn: '316148410X', version: 2 });
    expect(Date.parse(updatedAt)).toBeGreaterThanOrEqual(Date.parse(before.updatedAt));
    expect((await acme.owner.call(`/v1/products/${before.id}`)).body).toEqual(body);
  });

  it('leaves version and time alone when a patch changes nothing', async () => {
    const { body } = await acme.owner.call('/v1/products', { body: { ...book, sku: 'unchanged', tags: ['a', 'b'] } });
    const patch = { name: book.name, tags: ['a', 'b'], price };
    const patched = await acme.owner.call(`/v1/products/${body.id}`, { method: 'PATCH', body: patch });
    expect(patched.body).toEqual(body);
  });

  it('refuses a patch of another type, and one that removes what a product needs', async () => {
    const { body } = await acme.owner.call('/v1/products', { body: { ...book, sku: 'typed' } });
    for (const patch of [{ warrantyMonths: 12 }, { name: null }, { type: 'digital' }, { id: body.id }]) {
      const answer = await acme.owner.call(`/v1/products/${body.id}`, { method: 'PATCH', body: patch });
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_input' } });
      expect(answer.body.errors[0].pointer).toBe(`/${Object.keys(patch)[0]}`);
    }
  });

  it('refuses a change or a removal on top of a version that is not the present one', async () => {
    const { body } = await acme.owner.call('/v1/products', { body: { ...book, sku: 'raced' } });
    const url = `/v1/products/${body.id}`;
    for (const stale of ['"v7"', 'W/"v1"', '"v2", "v3"']) {
      const headers = { 'if-match': stale };
      const patched = await acme.owner.call(url, { method: 'PATCH', headers, body: { name: 'late' } });
      expect(patched).toMatchObject({ status: 412, body: { code: 'version_conflict' } });
      expect((await acme.owner.call(url, { method: 'DELETE', headers })).status).toBe(412);
    }
    const both = ['first', 'second'].map((name) =>
      acme.owner.call(url, { method: 'PATCH', headers: { 'if-match': '"v1"' }, body: { name } }),
    );
    expect((await Promise.all(both)).map(({ status }) => status).sort()).toEqual([200, 412]);
    expect((await acme.owner.call(url)).body.version).toBe(2);
  });

  it('removes a product for good', async () => {
    const { body } = await acme.owner.call('/v1/products', { body: { ...book, sku: 'removed' } });
    const url = `/v1/products/${body.id}`;
    expect(await acme.owner.call(url, { method: 'DELETE', headers: { 'if-match': '*' } })).toMatchObject({
      status: 204,
      text: '',
    });
    expect((await acme.owner.call(url)).status).toBe(404);
    expect((await acme.owner.call('/v1/products', { body: { ...book, sku: 'removed' } })).status).toBe(201);
  });

  it("answers another tenant's id exactly like one that never existed", async () => {
    const { body } = await acme.owner.call('/v1/products', { body: { ...book, sku: 'mine' } });
    const never = uuidv7();
    for (const method of ['GET', 'PATCH', 'DELETE'] as const) {
      const call = {
        method,
        headers: { 'x-request-id': 'same' },
        ...(method === 'PATCH' && { body: { name: 'stolen' } }),
      };
      const foreign = await globex.owner.call(`/v1/products/${body.id}`, call);
      const unknown = await globex.owner.call(`/v1/products/${never}`, call);
      expect(foreign.status).toBe(404);
      expect(foreign.text.replace(body.id, never)).toBe(unknown.text);
    }
    expect((await acme.owner.call(`/v1/products/${body.id}`)).body).toEqual(body);
  });
});

describe('the list of products', () => {
  let test: TestApp;
  let acme: SignedUpTenant;
  let globex: SignedUpTenant;
  const names = ['Äpfel', 'apple', 'Banana', 'banana 50% off', 'cherry', 'date_', 'dates'];
  beforeAll(async () => {
    test = await startTestApp();
    acme = await signUp(test.app, 'acme');
    globex = await signUp(test.app, 'globex');
    for (const [index, name] of names.entries()) {
      const common = { sku: `s-${index}`, name, price: { amount: 100 * (index % 3), currency: 'EUR' } };
      const own = index % 2 ? { type: 'book', isbn: '1' } : { type: 'digital', tags: ['tag', `t${index}`, '50%_!'] };
      await acme.owner.call('/v1/products', { body: { ...common, ...own } });
      await globex.owner.call('/v1/products', { body: { ...common, type: 'book', isbn: '1', name: `globex ${name}` } });
    }
  });
  afterAll(() => test.close());

  const list = async (query: string) => (await acme.owner.call(`/v1/products?${query}`)).body;
  const namesOf = async (query: string) => (await list(query)).data.map((it: { name: string }) => it.name);

  it.each(['-createdAt', 'createdAt', 'name', '-name', 'price', '-price', 'sku', '-sku'])(
    'pages through everything once, in order of %s',
    async (sort) => {
      const whole = await list(`limit=100&sort=${sort}`);
      expect(whole.nextCursor).toBeNull();
      expect(whole.data).toHaveLength(names.length);
      const paged: unknown[] = [];
      let cursor: string | null = '';
      for (let page = 0; cursor !== null && page < 10; page++) {
        const next: { data: unknown[]; nextCursor: string | null } = await list(
          `limit=3&sort=${sort}${cursor ? `&cursor=${cursor}` : ''}`,
        );
        expect(next.data.length).toBeGreaterThan(0);
        paged.push(...next.data);
        cursor = next.nextCursor;
      }
      expect(cursor).toBeNull();
      expect(paged).toEqual(whole.data);
    },
  );

  it('orders by price, then by id', async () => {
    const { data } = await list('sort=-price');
    const amounts = data.map((it: { price: { amount: number } }) => it.price.amount);
    expect(amounts).toEqual([...amounts].sort((a: number, b: number) => b - a));
  });

  it.each([
    ['filter[type]=book', ['apple', 'banana 50% off', 'date_']],
    ['filter[sku]=s-4', ['cherry']],
    ['filter[name][contains]=BANANA', ['Banana', 'banana 50% off']],
    ['filter[name][contains]=50%25', ['banana 50% off']],
    ['filter[name][contains]=_', ['date_']],
    ['filter[name][contains]=%25', ['banana 50% off']],
    ["filter[name][contains]=' or 1=1 --", []],
    ['filter[tag]=t4', ['cherry']],
    ['filter[tag]=t', []],
    ['filter[tag]=50%25_!', ['Banana', 'cherry', 'dates', 'Äpfel']],
    ['filter[price][gte]=100&filter[price][lte]=199', ['apple', 'cherry']],
    ['filter[price][gte]=100&filter[type]=digital', ['Banana', 'cherry']],
  ])('finds by %s', async (filter, expected) => {
    expect((await namesOf(filter)).sort()).toEqual([...expected].sort());
  });

  it('refuses a cursor of another order, of other filters, and of another tenant', async () => {
    const { nextCursor } = await list('limit=2&sort=name');
    for (const query of ['sort=-name', 'sort=name&filter[type]=book']) {
      expect(await acme.owner.call(`/v1/products?${query}&cursor=${nextCursor}`)).toMatchObject({ status: 400 });
    }
    const foreign = await globex.owner.call(`/v1/products?sort=name&cursor=${nextCursor}`);
    expect(foreign).toMatchObject({ status: 400, body: { code: 'invalid_input', errors: [{ parameter: 'cursor' }] } });
    expect((await acme.owner.call(`/v1/products?sort=name&limit=50&cursor=${nextCursor}`)).status).toBe(200);
  });
});
