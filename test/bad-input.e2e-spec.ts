import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiClient, type Call, type SignedUpTenant, signUp } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

const book = {
  type: 'book',
  sku: 'tea-1',
  name: 'The Book of Tea',
  price: { amount: 1250, currency: 'EUR' },
  isbn: '9783161484100',
};

describe('bad input', () => {
  let test: TestApp;
  let acme: SignedUpTenant;
  beforeAll(async () => {
    test = await startTestApp();
    acme = await signUp(test.app, 'acme');
  });
  afterAll(() => test.close());

  const json = { 'content-type': 'application/json' };
  const cases: [title: string, url: string, call: Call, status: number, code: string][] = [
    ['malformed JSON', '/v1/products', { headers: json, body: '{"type":' }, 400, 'malformed_json'],
    ['an empty JSON body', '/v1/products', { method: 'POST', headers: json, body: '' }, 400, 'malformed_json'],
    ['no body at all', '/v1/products', { method: 'POST' }, 400, 'invalid_input'],
    ['a poisoned prototype', '/v1/products', { headers: json, body: '{"__proto__":{"a":1}}' }, 400, 'malformed_json'],
    ['a wrong type', '/v1/products', { body: { ...book, name: 7 } }, 400, 'invalid_input'],
    [
      'an operator in place of a value',
      '/v1/products',
      { body: { ...book, name: { $ne: null } } },
      400,
      'invalid_input',
    ],
    ['a tenant id in the body', '/v1/products', { body: { ...book, tenantId: 'x' } }, 400, 'invalid_input'],
    [
      'a fraction of a cent',
      '/v1/products',
      { body: { ...book, price: { amount: 1.5, currency: 'EUR' } } },
      400,
      'invalid_input',
    ],
    ['an unknown product type', '/v1/products', { body: { ...book, type: 'car' } }, 400, 'invalid_input'],
    ['a body that is a list', '/v1/products', { body: [book] }, 400, 'invalid_input'],
    [
      'a wrong media type',
      '/v1/products',
      { headers: { 'content-type': 'text/plain' }, body: 'x' },
      415,
      'unsupported_media_type',
    ],
    [
      'a form',
      '/v1/products',
      { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'a=1' },
      415,
      'unsupported_media_type',
    ],
    ['an oversized body', '/v1/products', { body: { ...book, name: 'x'.repeat(1_100_000) } }, 413, 'payload_too_large'],
    ['an unknown route', '/v1/nothing', {}, 404, 'not_found'],
    ['an unknown method', '/v1/products', { method: 'PUT', body: book }, 404, 'not_found'],
    ['a broken URL', '/%zz', {}, 400, 'bad_request'],
    ['an id that is none', '/v1/products/1', {}, 404, 'not_found'],
    ['a limit that is no number', '/v1/products?limit=abc', {}, 400, 'invalid_input'],
    ['a limit of nothing', '/v1/products?limit=0', {}, 400, 'invalid_input'],
    ['a limit beyond reason', '/v1/products?limit=1e9', {}, 400, 'invalid_input'],
    ['a limit given twice', '/v1/products?limit=1&limit=2', {}, 400, 'invalid_input'],
    ['a forged cursor', '/v1/products?cursor=abcdef', {}, 400, 'invalid_input'],
    ['an order by a secret', '/v1/products?sort=password', {}, 400, 'invalid_input'],
    ['an unknown filter', '/v1/products?filter[tenantId]=x', {}, 400, 'invalid_input'],
    ['an unknown operator', '/v1/products?filter[name][$ne]=x', {}, 400, 'invalid_input'],
    [
      'a bad slug',
      '/v1/tenants',
      { body: { slug: 'A', name: 'A', owner: owner('a@a.example') } },
      400,
      'invalid_input',
    ],
    [
      'a reserved slug',
      '/v1/tenants',
      { body: { slug: 'admin', name: 'A', owner: owner('b@a.example') } },
      400,
      'invalid_input',
    ],
    [
      'a taken slug',
      '/v1/tenants',
      { body: { slug: 'acme', name: 'A', owner: owner('c@a.example') } },
      409,
      'slug_taken',
    ],
    [
      'an e-mail that is none',
      '/v1/tenants',
      { body: { slug: 'other', name: 'A', owner: owner('nobody') } },
      400,
      'invalid_input',
    ],
    [
      'operators for a log-in',
      '/v1/auth/login',
      { body: { email: { $ne: null }, password: { $ne: null } } },
      400,
      'invalid_input',
    ],
  ];

  function owner(email: string) {
    return { email, password: 'long enough', name: 'A' };
  }

  it.each(cases)('answers %s with a problem and leaves nothing behind', async (_title, url, call, status, code) => {
    const answer = await acme.owner.call(url, call);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({
      type: `/docs/problems#${code}`,
      title: expect.any(String),
      status,
      detail: expect.any(String),
      instance: url.split('?')[0],
      code,
      requestId: answer.headers['x-request-id'],
    });
    expect(answer.text).not.toMatch(/at .*\.[jt]s:|select |insert |sqlite|mikro/i);
    expect((await acme.owner.call('/v1/products')).body.data).toEqual([]);
  });

  it('points at every wrong place at once', async () => {
    const { body } = await acme.owner.call('/v1/products', {
      body: { ...book, sku: '', price: { amount: -1, currency: 'euro' }, colour: 'red' },
    });
    const pointers = body.errors.map((it: { pointer: string }) => it.pointer).sort();
    expect(pointers).toEqual(['/colour', '/price/amount', '/price/currency', '/sku']);
  });

  it('names the parameter of a wrong query', async () => {
    const { body } = await acme.owner.call('/v1/products?limit=abc');
    expect(body.errors).toEqual([{ parameter: 'limit', detail: expect.any(String) }]);
  });

  it('asks who is calling before it says anything about a route', async () => {
    const anonymous = new ApiClient(test.app);
    for (const url of ['/v1/products', '/v1/audit', '/v1/platform/shards', '/v1/auth/me']) {
      const { status, body, headers } = await anonymous.call(url);
      expect({ url, status, code: body.code }).toEqual({ url, status: 401, code: 'unauthenticated' });
      expect(headers['www-authenticate']).toBe('Bearer error="invalid_token"');
    }
  });
});
