import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DEMO_OPERATOR } from '#apps/api';
import { type ApiDescription, routesOf } from '#libs/isolation';
import { watchStatements } from '#libs/persistence';
import { createTestDatabase, eachEngine, type TestDatabase } from '#libs/testing';
import { type ApiClient, logIn, signUp, withToken } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

/** A tenant that has so many of everything. */
interface Stocked {
  readonly rows: number;
  readonly owner: ApiClient;
  readonly slug: string;
  /** By what is in the path of a route: the id of one that has so many of what belongs to it. */
  readonly ids: Readonly<Record<string, string>>;
}

/** Where each route is asked, by its path in the description. A list is asked for all there is. */
const ASKED: Readonly<Record<string, (tenant: Stocked) => string>> = {
  '/v1/api-keys': ({ rows }) => `/v1/api-keys?limit=${rows}`,
  '/v1/audit': ({ rows }) => `/v1/audit?limit=${rows}`,
  '/v1/audit/checkpoints': () => '/v1/audit/checkpoints',
  '/v1/audit/consistency': () => '/v1/audit/consistency?from=1',
  '/v1/audit/export': () => '/v1/audit/export',
  '/v1/audit/holds': () => '/v1/audit/holds',
  '/v1/audit/verify': () => '/v1/audit/verify',
  '/v1/audit/{id}': ({ ids }) => `/v1/audit/${ids.entry}`,
  '/v1/audit/{id}/proof': ({ ids }) => `/v1/audit/${ids.entry}/proof`,
  '/v1/auth/me': () => '/v1/auth/me',
  '/v1/auth/sessions': ({ rows }) => `/v1/auth/sessions?limit=${rows}`,
  '/v1/categories': ({ rows }) => `/v1/categories?limit=${rows}`,
  '/v1/categories/{id}': ({ ids }) => `/v1/categories/${ids.category}`,
  '/v1/members': ({ rows }) => `/v1/members?limit=${rows}`,
  '/v1/orders': ({ rows }) => `/v1/orders?limit=${rows}`,
  '/v1/orders/{id}': ({ ids }) => `/v1/orders/${ids.order}`,
  '/v1/platform/search/products': ({ rows, slug }) => `/v1/platform/search/products?tenant=${slug}&limit=${rows}`,
  '/v1/platform/shards': () => '/v1/platform/shards',
  '/v1/platform/tenants': ({ rows }) => `/v1/platform/tenants?limit=${rows}`,
  '/v1/platform/tenants/{slug}': ({ slug }) => `/v1/platform/tenants/${slug}`,
  '/v1/products': ({ rows }) => `/v1/products?limit=${rows}`,
  '/v1/products/{id}': ({ ids }) => `/v1/products/${ids.product}`,
  '/v1/products/{id}/diff': ({ ids, rows }) => `/v1/products/${ids.product}/diff?from=1&to=${rows}`,
  '/v1/products/{id}/versions': ({ ids, rows }) => `/v1/products/${ids.product}/versions?limit=${rows}`,
  '/v1/tags': ({ rows }) => `/v1/tags?limit=${rows}`,
  '/v1/tags/{id}': ({ ids }) => `/v1/tags/${ids.tag}`,
  '/v1/wallets/{id}': ({ ids }) => `/v1/wallets/${ids.wallet}`,
};

/** Routes that read no rows of anybody. */
const WITHOUT_ROWS = new Set(['/livez', '/readyz', '/metrics']);
/** Answered from what the process keeps of tenants and people. */
const KEPT = new Set(['/v1/auth/me', '/v1/platform/tenants/{slug}']);

const FEW = 2;
const MANY = 20;

/** Statements that a request sends, whatever else the application does meanwhile, and how many rows its answer lists. */
async function statementsOf(client: ApiClient, url: string): Promise<{ sent: string[]; listed?: number }> {
  // The first time, keys, tenants and statements are put where the second finds them.
  await client.call(url);
  const requestId = `counted-${Math.random()}`;
  const sent: string[] = [];
  const stop = watchStatements((statement) => {
    // What other processes have announced is asked for once in a while, by whichever request comes then.
    const isOnce = statement.sql.includes('change_notice');
    if (statement.requestId === requestId && !isOnce) sent.push(statement.sql);
  });
  const { status, text, body } = await client.call(url, { headers: { 'x-request-id': requestId } });
  stop();
  if (status !== 200) throw new Error(`GET ${url} answered ${status}: ${text}`);
  return { sent, listed: body?.data?.length };
}

/** Signs a tenant up that has `rows` of all that lists show, and one of each that has `rows` of what belongs to it. */
async function stocked({ app }: TestApp, slug: string, rows: number): Promise<Stocked> {
  const { owner, email, password } = await signUp(app, slug);
  const make = async (url: string, body: object) => {
    const answer = await owner.call(url, { body });
    if (answer.status !== 201) throw new Error(`POST ${url} answered ${answer.status}: ${answer.text}`);
    return String(answer.body.id);
  };
  const ids: Record<string, string> = {};
  const products: string[] = [];
  const numbers = Array.from({ length: rows }, (_, n) => n);
  const tags = numbers.map((n) => `tag ${n}`);
  for (const name of tags) ids.tag = await make('/v1/tags', { name });
  for (const n of numbers) {
    // Each below the one before, as far as a tree may go.
    ids.category = await make('/v1/categories', { name: `c ${n}`, ...(n % 5 !== 0 && { parentId: ids.category }) });
    const common = { sku: `s-${n}`, name: `n ${n}`, price: { amount: 100, currency: 'EUR' }, stock: 100 };
    const kinds = [
      { type: 'book', isbn: `${n}` },
      { type: 'electronic', warrantyMonths: 24 },
    ];
    products.push(await make('/v1/products', { ...common, ...kinds[n % 2], tags, categoryId: ids.category }));
    ids.wallet = await make('/v1/wallets', { currency: 'EUR' });
    await owner.call(`/v1/wallets/${ids.wallet}/deposits`, { body: { amount: 1_000_000 } });
    await make('/v1/api-keys', { name: `key ${n}`, permissions: ['catalogue:read'] });
    await make('/v1/audit/holds', { reason: `case ${n}` });
    await make('/v1/members', { email: `p${n}@${slug}.example`, name: 'Pat', password, role: 'viewer' });
    await logIn(app, email, password);
  }
  for (const n of numbers) {
    ids.order = await make('/v1/orders', { lines: products.map((productId) => ({ productId, quantity: 1 })) });
    await owner.call(`/v1/orders/${ids.order}/payments`, {
      body: n % 2 ? { method: 'card', token: 'tok_1', lastFour: '4242' } : { method: 'wallet', walletId: ids.wallet },
    });
    await owner.call(`/v1/products/${products[0]}`, {
      method: 'PATCH',
      body: { name: `version ${n}` },
      headers: { 'content-type': 'application/merge-patch+json' },
    });
  }
  ids.product = String(products[0]);
  ids.entry = (await owner.call('/v1/audit?limit=1')).body.data[0].id;
  return { rows, owner, slug, ids };
}

describe('the number of statements of a route', () => {
  eachEngine((engine) => {
    const databases: TestDatabase[] = [];
    let test: TestApp;
    let few: Stocked;
    let many: Stocked;
    let operator: ApiClient;
    beforeAll(async () => {
      for (const _ of ['central', 'shard']) databases.push(await createTestDatabase(engine));
      const [central, shard] = databases.map(({ url }) => url);
      test = await startTestApp({ CENTRAL_URL: String(central), SHARDS: `shard-1=${shard}`, RATE_LIMITS: 'off' });
      operator = withToken(test.app, await logIn(test.app, DEMO_OPERATOR.email, DEMO_OPERATOR.password));
      few = await stocked(test, 'few', FEW);
      many = await stocked(test, 'many', MANY);
      for (let n = 2; n < MANY; n++) await signUp(test.app, `tenant-${n}`);
    }, 300_000);
    afterAll(async () => {
      await test.close();
      for (const database of databases) await database.drop();
    }, 30_000);

    it('is known here for every route that reads', async () => {
      const { body } = await operator.call<ApiDescription>('/openapi.json');
      const reading = routesOf(body).filter(({ method }) => method === 'GET');
      const paths = reading.map(({ path }) => path).filter((path) => !WITHOUT_ROWS.has(path));
      expect(paths.toSorted()).toEqual(Object.keys(ASKED).toSorted());
    });

    it.each(Object.keys(ASKED))('is the same with few rows and with many: %s', async (path) => {
      const ask = ASKED[path] as (tenant: Stocked) => string;
      const isOperators = path.startsWith('/v1/platform');
      const askBoth = async () => ({
        some: await statementsOf(isOperators ? operator : few.owner, ask(few)),
        more: await statementsOf(isOperators ? operator : many.owner, ask(many)),
      });
      let { some, more } = await askBoth();
      // What is due once in a while is done by whichever request comes then; a statement for each row is there every time.
      for (let tries = 1; tries < 3 && some.sent.length !== more.sent.length; tries++)
        ({ some, more } = await askBoth());
      if (ask(many).includes('limit=')) expect([some.listed, more.listed]).toEqual([FEW, MANY]);
      expect(more.sent.length > 0).toBe(!KEPT.has(path));
      expect(more.sent).toHaveLength(some.sent.length);
    });
  });
});
