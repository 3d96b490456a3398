import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { DEMO_OPERATOR, TenantPlaces, TenantPurgeService } from '#apps/api';
import { runInContext } from '#libs/context';
import { IsolationStrategies, type IsolationStrategyName, TenantStore } from '#libs/tenancy';
import { createTestDatabase, reachableEngines, strategiesOf, type TestDatabase, type TestEngine } from '#libs/testing';
import { chapters } from './strategies/chapters.js';
import { ApiClient, logIn, withToken } from './support/api-client.js';
import { Teller, withoutNames } from './support/story.js';
import { startTestApp, type TestApp } from './support/test-app.js';

interface Guest {
  readonly engine: TestEngine;
  readonly strategy: IsolationStrategyName;
  readonly slug: string;
}

/** The mysql driver on the server of mariadb would tell the same stories once more. */
const engines = reachableEngines().filter(({ name, label }, _, all) => {
  return name !== 'mysql' || !/MariaDB/.test(label) || !all.some((other) => other.name === 'mariadb');
});
/** A tenant of every strategy on every engine that can express it, in one application. */
const guests: readonly Guest[] = engines.flatMap((engine) =>
  strategiesOf(engine).map((strategy) => ({ engine, strategy, slug: `${engine.name}-${strategy}` })),
);

/** Each engine is a shard. What all tenants are told must not tell where they live. */
describe('one application with tenants of all strategies', () => {
  const databases: TestDatabase[] = [];
  const owners = new Map<string, ApiClient>();
  /** By chapter, what the first tenant was answered. */
  const told = new Map<string, unknown[]>();
  let test: TestApp;
  let operator: ApiClient;

  beforeAll(async () => {
    for (const engine of engines) databases.push(await createTestDatabase(engine));
    const shards = engines.map(({ name }, n) => `${name}=${databases[n]?.url}`);
    test = await startTestApp({ SHARDS: shards.join() });
    operator = withToken(test.app, await logIn(test.app, DEMO_OPERATOR.email, DEMO_OPERATOR.password));
    for (const guest of guests) owners.set(guest.slug, await signUp(guest));
  }, 120_000);

  afterAll(async () => {
    for (const { slug } of guests) await purge(slug);
    await test.close();
    for (const database of databases) await database.drop();
  }, 60_000);

  async function signUp({ engine, strategy, slug }: Guest): Promise<ApiClient> {
    const owner = { email: `owner@${slug}.example`, password: `password of ${slug}`, name: 'Olga' };
    const placement = { strategy, shard: engine.name };
    const { status, body } = await operator.call('/v1/platform/tenants', {
      body: { slug, name: 'Guest', owner, placement },
    });
    if (status !== 201) throw new Error(`Sign-up of ${slug} answered ${status}: ${JSON.stringify(body)}`);
    expect(body.tenant.placement).toMatchObject({ ...placement, state: 'active' });
    return withToken(test.app, await logIn(test.app, owner.email, owner.password));
  }

  /** Also the databases that belong to one tenant alone go with the suite. */
  async function purge(slug: string): Promise<void> {
    await operator.call(`/v1/platform/tenants/${slug}`, { method: 'DELETE' });
    await runInContext({}, () => test.app.get(TenantPurgeService).purge(slug));
  }

  const clientOf = (slug: string): ApiClient => owners.get(slug) as ApiClient;

  for (const engine of engines) {
    describe(`on ${engine.name}`, () => {
      for (const strategy of strategiesOf(engine)) {
        describe(`with the ${strategy} strategy`, () => {
          const slug = `${engine.name}-${strategy}`;

          it.each(chapters)('$title', async ({ title, statuses, tell }) => {
            const teller = new Teller(clientOf(slug), new ApiClient(test.app));
            await tell(teller, slug, test.app);
            expect(teller.answers.map(({ status }) => status)).toEqual(statuses);
            const answers = withoutNames(teller.answers, slug);
            expect(answers).toEqual(told.get(title) ?? answers);
            told.set(title, answers);
          });

          it('shows nothing of it to any other tenant, and nothing of theirs to it', async () => {
            const { data } = (await clientOf(slug).call('/v1/products?filter[sku]=tea')).body;
            const unknown = await clientOf(slug).call('/v1/products/01890000-0000-7000-8000-000000000000');
            for (const other of guests.filter((guest) => guest.slug !== slug)) {
              const asked = await clientOf(other.slug).call(`/v1/products/${data[0].id}`);
              expect([asked.status, asked.body.code, asked.body.detail]).toEqual([
                404,
                'not_found',
                unknown.body.detail,
              ]);
            }
          });
        });
      }
    });
  }

  describe('searched by an operator', () => {
    const searchUrl = '/v1/platform/search/products';
    const rows = (body: { data: { tenant: { slug: string }; name: string }[] }) =>
      body.data.map(({ tenant: { slug }, name }) => [name, slug]);
    const own = guests.filter(({ strategy }) => strategy !== 'row').map(({ slug }) => slug);
    const price = { amount: 100, currency: 'EUR' };
    const needle = (name: string) => ({ type: 'book', sku: name, name, price, isbn: '1' });
    const readsOf = async (slug: string) =>
      (await clientOf(slug).call('/v1/audit?action=read_across_tenants&limit=100')).body.data;

    beforeAll(async () => {
      for (const [n, { slug }] of guests.entries()) {
        // Names turn against the order of places, and one tenant has two.
        await clientOf(slug).call('/v1/products', { body: needle(`needle ${guests.length - n}`) });
      }
      await clientOf(guests[0]?.slug as string).call('/v1/products', { body: needle('needle 0') });
    });

    const names = () => [...guests.keys()].map((n) => `needle ${n + 1}`).sort();

    it('leaves a line in the log, also where no tenant has a row and a trail to tell of it', async () => {
      const log = jest.spyOn(Logger.prototype, 'log');
      await operator.call(`${searchUrl}?name=nowhere-to-be-found`);
      const lines = log.mock.calls.map(([line]) => String(line));
      log.mockRestore();
      expect(lines).toContainEqual(
        expect.stringMatching(/^Work across tenants by operator \S+ read 0 rows of 0 tenants: ./),
      );
    });

    it('gives the rows of every tenant, in one order, and as many as asked for', async () => {
      const { status, body } = await operator.call(`${searchUrl}?name=needle&limit=100`);
      expect(status).toBe(200);
      expect(rows(body).map(([name]) => name)).toEqual(['needle 0', ...names()]);
      expect(new Set(rows(body).map(([, slug]) => slug))).toEqual(new Set(guests.map(({ slug }) => slug)));
      expect(body.places).toEqual({ asked: own.length, missing: [] });
      const first = await operator.call(`${searchUrl}?name=needle&limit=3&sort=-name`);
      expect(rows(first.body).map(([name]) => name)).toEqual(names().toReversed().slice(0, 3));
    });

    it('tells each tenant of it in its own trail, once, with the rows that were its', async () => {
      const before = await Promise.all(guests.map(({ slug }) => readsOf(slug)));
      await operator.call(`${searchUrl}?name=needle&limit=100`);
      for (const [n, { slug }] of guests.entries()) {
        const entries = await readsOf(slug);
        expect(entries).toHaveLength((before[n]?.length ?? 0) + 1);
        expect(entries[0]).toMatchObject({
          changes: { rows: { old: null, new: n === 0 ? 2 : 1 } },
          reason: 'Search of products by name: needle',
        });
      }
    });

    it('asks only the tenants that are named', async () => {
      for (const { slug, strategy } of guests) {
        const { body } = await operator.call(`${searchUrl}?name=needle&tenant=${slug}`);
        expect(new Set(rows(body).map(([, found]) => found))).toEqual(new Set([slug]));
        expect(body.places.asked).toBe(strategy === 'row' ? 0 : 1);
      }
      const unknown = await operator.call(`${searchUrl}?tenant=nobody-of-this-name`);
      expect(unknown).toMatchObject({ status: 400, body: { errors: [{ parameter: 'tenant' }] } });
    });

    it('is refused, not cut short, when more places would have to be asked than one search may', async () => {
      const places = test.app.get(TenantPlaces);
      const [place] = await places.list();
      const list = jest.spyOn(places, 'list').mockResolvedValue(Array(201).fill(place));
      const refused = await operator.call(`${searchUrl}?name=needle`);
      list.mockRestore();
      expect(refused).toMatchObject({ status: 400, body: { code: 'search_too_wide' } });
    });

    it('says whose rows are missing, when places cannot be asked', async () => {
      for (const slug of own) {
        const { placement } = await test.app.get(TenantStore).getBySlug(slug);
        const strategy = test.app.get(IsolationStrategies).get(placement.strategy, placement.shardId);
        await strategy.drop(placement);
        const { status, body } = await operator.call(`${searchUrl}?name=needle&limit=100`);
        const gone = own.slice(0, own.indexOf(slug) + 1);
        expect([status, body.places]).toEqual([200, { asked: own.length, missing: gone.toSorted() }]);
        const left = guests.filter((guest) => !gone.includes(guest.slug)).map((guest) => guest.slug);
        expect(new Set(rows(body).map(([, found]) => found))).toEqual(new Set(left));
      }
      for (const slug of own) {
        const { placement } = await test.app.get(TenantStore).getBySlug(slug);
        await test.app.get(IsolationStrategies).get(placement.strategy, placement.shardId).provision(placement);
      }
    });
  });

  it('serves all but the one tenant whose place is gone', async () => {
    const lost = guests.filter(({ strategy }) => strategy !== 'row');
    for (const { slug } of lost) {
      const { placement } = await test.app.get(TenantStore).getBySlug(slug);
      await test.app.get(IsolationStrategies).get(placement.strategy, placement.shardId).drop(placement);
      const list = () => clientOf(slug).call('/v1/products');
      for (let n = 0; n < 5; n++) {
        expect(await list()).toMatchObject({ status: 503, body: { code: 'shard_unavailable' } });
      }
      expect((await list()).headers['retry-after']).toMatch(/^[1-9]\d*$/);
      const write = await clientOf(slug).call('/v1/wallets', { body: { currency: 'EUR' } });
      expect(write).toMatchObject({ status: 503, body: { code: 'shard_unavailable' } });
      const gone = lost.slice(0, lost.findIndex((guest) => guest.slug === slug) + 1);
      for (const other of guests.filter((guest) => !gone.includes(guest))) {
        expect((await clientOf(other.slug).call('/v1/products')).status).toBe(200);
      }
    }
  });

  it('lets a tenant whose place is gone be suspended and archived, and says that its trail does not tell', async () => {
    for (const { slug, strategy } of guests) {
      const url = `/v1/platform/tenants/${slug}`;
      const change = (status: string) => operator.call(url, { method: 'PATCH', body: { status } });
      const note = strategy === 'row' ? undefined : 'unavailable';
      const suspended = await change('suspended');
      expect([suspended.status, suspended.body.status, suspended.body.trail]).toEqual([200, 'suspended', note]);
      expect(await clientOf(slug).call('/v1/products')).toMatchObject({ status: 403 });
      // It could not be served: whoever brings it back has to restore its place first.
      if (note) expect(await change('active')).toMatchObject({ status: 503, body: { code: 'shard_unavailable' } });
      expect((await operator.call(url)).body.status).toBe('suspended');
      const archived = await operator.call(url, { method: 'DELETE' });
      if (note) expect(archived).toMatchObject({ status: 200, body: { status: 'archived', trail: note } });
      else expect(archived.status).toBe(204);
      expect((await operator.call(url)).body).toMatchObject({ status: 'archived', placement: { state: 'archived' } });
    }
  });
});
