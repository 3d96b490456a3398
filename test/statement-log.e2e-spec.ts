import { afterEach, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { type SignedUpTenant, signUp } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

interface Line {
  readonly facts: Record<string, unknown>;
  readonly text: string;
}

describe('statements in the log', () => {
  let test: TestApp | undefined;
  afterEach(async () => {
    await test?.close();
    test = undefined;
  });

  /** A tenant, and what is logged of statements from then on, by the application's logger and those of requests. */
  async function start(environment: Record<string, string> = {}): Promise<[SignedUpTenant, Line[]]> {
    test = await startTestApp(environment);
    const acme = await signUp(test.app, 'acme');
    const lines: Line[] = [];
    const info = (facts: Record<string, unknown>, text: string) => {
      if (typeof facts === 'object' && 'database' in facts) lines.push({ facts, text });
    };
    const { log } = test.app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
    const child = log.child.bind(log);
    Object.assign(log, { info, child: (...args: Parameters<typeof child>) => Object.assign(child(...args), { info }) });
    return [acme, lines];
  }
  const product = { type: 'book', sku: 'canary-sku', name: 'N', price: { amount: 4711, currency: 'EUR' }, isbn: '1' };

  it('are shown for a request that asks for them, and for no other', async () => {
    const [{ owner }, lines] = await start();
    await owner.call('/v1/products', { body: { ...product, sku: 'quiet' } });
    expect(lines).toEqual([]);
    const [answer] = await Promise.all([
      owner.call('/v1/products', { body: product, headers: { 'x-log-sql': 'true' } }),
      owner.call('/v1/categories'),
    ]);
    expect(answer.status).toBe(201);
    const inserts = lines.filter(({ text }) => /insert into .product/.test(text));
    expect(inserts).toHaveLength(1);
    expect(inserts[0]?.facts).toMatchObject({
      tenant: 'acme',
      route: '/v1/products',
      requestId: answer.headers['x-request-id'],
      database: expect.stringMatching(/shard-/),
      ms: expect.any(Number),
      rows: 1,
    });
    expect(JSON.stringify(lines)).not.toMatch(/canary-sku|4711/);
    expect(lines.some(({ text }) => /from .category/.test(text))).toBe(false);
  });

  it('are all shown with LOG_SQL', async () => {
    const [{ owner }, lines] = await start({ LOG_SQL: 'true' });
    await owner.call('/v1/categories');
    expect(lines.some(({ text }) => text.includes('category'))).toBe(true);
    expect(lines.some(({ facts }) => facts.database === 'central')).toBe(true);
  });

  it('are not shown to whoever asks in production', async () => {
    const secret = 'f3Q9rL0vXw2mZt7yKc5bNh8j'.repeat(2);
    const [{ owner }, lines] = await start({ NODE_ENV: 'production', JWT_SECRET: secret });
    const answer = await owner.call('/v1/products', { headers: { 'x-log-sql': 'true' } });
    expect([answer.status, lines]).toEqual([200, []]);
  });
});
