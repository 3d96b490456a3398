import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DEMO_OPERATOR } from '#apps/api';
import { ApiClient, logIn, withToken } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

describe('try', () => {
  let test: TestApp;
  let operator: ApiClient;
  beforeAll(async () => {
    test = await startTestApp();
    operator = withToken(test.app, await logIn(test.app, DEMO_OPERATOR.email, DEMO_OPERATOR.password));
  });
  afterAll(() => test.close());
  it('database', async () => {
    const email = 'o@x.example';
    const password = 'password of x';
    const a = await operator.call('/v1/platform/tenants', {
      body: { slug: 'dbt', name: 'x', owner: { email, password, name: 'O' }, placement: { strategy: 'database' } },
    });
    expect(a).toMatchObject({ status: 201, body: { tenant: { placement: { strategy: 'database' } } } });
    const owner = withToken(test.app, await logIn(test.app, email, password));
    const made = await owner.call('/v1/products', {
      body: { type: 'book', sku: 'b', name: 'B', price: { amount: 1, currency: 'EUR' }, isbn: '9780000000000' },
    });
    expect(made.status).toBe(201);
    expect((await owner.call('/v1/products')).body.data).toHaveLength(1);
    expect((await owner.call('/v1/audit')).body.data).toHaveLength(2);
  });
});
