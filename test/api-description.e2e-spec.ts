import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiClient } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

describe('the description of the API', () => {
  let test: TestApp;
  let anonymous: ApiClient;
  beforeAll(async () => {
    test = await startTestApp();
    anonymous = new ApiClient(test.app);
  });
  afterAll(() => test.close());

  it('names every route with its input, and one shape of failure', async () => {
    const { body } = await anonymous.call('/openapi.json');
    for (const path of ['/v1/tenants', '/v1/auth/login', '/v1/products', '/v1/products/{id}', '/v1/audit', '/livez']) {
      expect(Object.keys(body.paths)).toContain(path);
    }
    const { post } = body.paths['/v1/products'];
    expect(post.requestBody.content['application/json'].schema).toEqual({ $ref: '#/components/schemas/NewProduct' });
    expect(post.responses.default.content['application/problem+json'].schema.$ref).toBe('#/components/schemas/Problem');
    expect(body.components.schemas.Problem.required).toContain('code');
  });

  it('says which routes need a token: all but the public ones', async () => {
    const { body } = await anonymous.call('/openapi.json');
    expect(body.security).toEqual([{ bearer: [] }, { apiKey: [] }]);
    expect(body.paths['/v1/auth/login'].post.security).toEqual([{}]);
    expect(body.paths['/v1/products'].get.security).toBeUndefined();
  });

  it('is a page, and so is what each problem type leads to', async () => {
    const docs = await anonymous.call('/docs');
    expect(docs.text).toContain('<title>Rowhouse API</title>');
    const problems = await anonymous.call('/docs/problems');
    expect(problems.headers['content-type']).toMatch(/^text\/html/);
    expect(problems.text).toContain('<tr id="tenant_mismatch"><td><code>tenant_mismatch</code></td><td>403</td>');
  });

  it('is closed in production, where the page of problems stays', async () => {
    const production = await startTestApp({ NODE_ENV: 'production', JWT_SECRET: 'f3Q9rL0vXw2mZt7yKc5bNh8jUa1sEd4g' });
    const client = new ApiClient(production.app);
    expect((await client.call('/openapi.json')).status).toBe(404);
    expect((await client.call('/docs')).status).toBe(404);
    expect((await client.call('/docs/problems')).status).toBe(200);
    await production.close();
  });
});
