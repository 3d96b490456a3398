import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { createTestDatabase, eachEngine, type TestDatabase } from '#libs/testing';
import { type SignedUpTenant, signUp } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

const lamp = { type: 'electronic', name: 'Lamp', price: { amount: 1250, currency: 'EUR' }, warrantyMonths: 24 };

eachEngine((engine) => {
  let test: TestApp;
  let shard: TestDatabase;
  let acme: SignedUpTenant;
  let globex: SignedUpTenant;
  let count = 0;
  beforeAll(async () => {
    shard = await createTestDatabase(engine);
    test = await startTestApp({ SHARDS: `shard-1=${shard.url}` });
    acme = await signUp(test.app, 'acme');
    globex = await signUp(test.app, 'globex');
  });
  afterAll(async () => {
    await test.close();
    await shard.drop();
  });

  const call = (url: string, body?: object, method?: 'PATCH' | 'DELETE') => acme.owner.call(url, { body, method });
  async function made(url: string, body: object): Promise<string> {
    const answer = await call(url, body);
    expect([answer.status, answer.body.errors]).toEqual([201, undefined]);
    return answer.body.id;
  }
  const aProduct = (rest: object) => made('/v1/products', { ...lamp, sku: `lamp-${++count}`, ...rest });
  const idsOf = async (query: string): Promise<string[]> =>
    (await call(`/v1/products?limit=100&${query}`)).body.data.map(({ id }: { id: string }) => id).sort();
  const tagOf = async (name: string) =>
    (await call('/v1/tags?limit=100')).body.data.find((tag: { name: string }) => tag.name === name);
  const trailOf = async (id: string) => (await call(`/v1/audit?entityId=${id}&limit=100`)).body.data;

  describe('categories', () => {
    const aCategory = (name: string, parentId?: string) => made('/v1/categories', { name, parentId });

    it('are a tree, in which a filter finds the products of all levels below', async () => {
      const [light, outdoor] = [await aCategory('Light'), await aCategory('Outdoor')];
      const ceiling = await aCategory('Ceiling', light);
      const [top, below] = [await aProduct({ categoryId: light }), await aProduct({ categoryId: ceiling })];
      const [elsewhere] = [await aProduct({ categoryId: outdoor }), await aProduct({})];
      expect(await idsOf(`filter[category]=${light}`)).toEqual([top, below].sort());
      expect(await idsOf(`filter[category]=${ceiling}`)).toEqual([below]);
      await call(`/v1/categories/${outdoor}`, { parentId: ceiling }, 'PATCH');
      expect(await idsOf(`filter[category]=${light}`)).toEqual([top, below, elsewhere].sort());
      const children = await call(`/v1/categories?filter[parent]=${light}`);
      expect(children.body.data).toMatchObject([{ id: ceiling, name: 'Ceiling', parentId: light, version: 1 }]);
      const roots = (await call('/v1/categories?filter[parent]=none&limit=100')).body.data;
      expect(roots.map(({ id }: { id: string }) => id)).toContain(light);
      expect(roots.map(({ id }: { id: string }) => id)).not.toContain(outdoor);
    });

    it('move a product on record, with its history', async () => {
      const [one, two] = [await aCategory('One'), await aCategory('Two')];
      const product = await aProduct({ categoryId: one });
      const moved = await call(`/v1/products/${product}`, { categoryId: two }, 'PATCH');
      expect(moved.body).toMatchObject({ categoryId: two, version: 2 });
      expect((await call(`/v1/products/${product}`, { categoryId: null }, 'PATCH')).body.categoryId).toBeNull();
      const [, change] = await trailOf(product);
      expect(change.changes.category).toEqual({ old: one, new: two });
      await call(`/v1/products/${product}/revert`, { version: 1 });
      expect((await call(`/v1/products/${product}`)).body.categoryId).toBe(one);
    });

    it('never go below themselves, and no deeper than ten levels', async () => {
      const chain = [await aCategory('1')];
      for (let level = 2; level <= 10; level++) chain.push(await aCategory(`${level}`, chain.at(-1)));
      const loop = await call(`/v1/categories/${chain[0]}`, { parentId: chain[3] }, 'PATCH');
      const ofParent = (detail: string) => [{ pointer: '/parentId', detail: expect.stringContaining(detail) }];
      expect(loop).toMatchObject({ status: 400, body: { errors: ofParent('itself') } });
      const deep = await call('/v1/categories', { name: '11', parentId: chain[9] });
      expect(deep).toMatchObject({ status: 400, body: { errors: ofParent('10') } });
      const itself = await call(`/v1/categories/${chain[0]}`, { parentId: chain[0] }, 'PATCH');
      expect(itself.status).toBe(400);
    });

    it('that are to go below each other at once do not both', async () => {
      for (let round = 0; round < 3; round++) {
        const [a, b] = [await aCategory('A'), await aCategory('B')];
        const answers = await Promise.all([
          call(`/v1/categories/${a}`, { parentId: b }, 'PATCH'),
          call(`/v1/categories/${b}`, { parentId: a }, 'PATCH'),
        ]);
        expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
      }
    });

    it('stay while something is in them', async () => {
      const category = await aCategory('Full');
      const product = await aProduct({ categoryId: category });
      expect((await call(`/v1/categories/${category}`, undefined, 'DELETE')).status).toBe(409);
      await call(`/v1/products/${product}`, undefined, 'DELETE');
      expect((await call(`/v1/categories/${category}`, undefined, 'DELETE')).status).toBe(204);
      expect((await call(`/v1/categories/${category}`)).status).toBe(404);
    });

    it('of nobody or of another tenant are the same mistake', async () => {
      const theirs = (await globex.owner.call('/v1/categories', { body: { name: 'Secret' } })).body.id;
      for (const categoryId of [theirs, uuidv7(), 'no-id']) {
        const answer = await call('/v1/products', { ...lamp, sku: 'unplaced', categoryId });
        expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_input' } });
        expect(answer.body.errors).toEqual([{ pointer: '/categoryId', detail: 'There is no such category.' }]);
        expect(await idsOf(`filter[category]=${categoryId}`)).toEqual([]);
        expect((await call(`/v1/categories/${categoryId}`)).status).toBe(404);
        const line = JSON.stringify({ ...lamp, sku: 'unplaced', categoryId });
        const imported = await acme.owner.call('/v1/products/import', {
          headers: { 'content-type': 'application/x-ndjson' },
          body: line,
        });
        expect(imported.body).toMatchObject({ inserted: 0, rejected: [{ line: 1, code: 'invalid_input' }] });
      }
      expect(await idsOf('filter[sku]=unplaced')).toEqual([]);
    });
  });

  describe('tags', () => {
    it('come with the first product that has their word, and are counted', async () => {
      const both = await aProduct({ tags: ['Brass', "o'clock 灯"] });
      const one = await aProduct({ tags: ['BRASS', 'brass'] });
      expect((await call(`/v1/products/${one}`)).body.tags).toEqual(['BRASS', 'brass']);
      const brass = await tagOf('Brass');
      expect(brass).toMatchObject({ products: 2, description: null, version: 1 });
      expect(await tagOf("o'clock 灯")).toMatchObject({ products: 1 });
      expect(await idsOf('filter[tag]=bRass')).toEqual([both, one].sort());
      expect(await idsOf(`filter[tag]=${encodeURIComponent("o'clock 灯")}`)).toEqual([both]);
      expect(await idsOf('filter[tag]=bras')).toEqual([]);
      expect(await trailOf(brass.id)).toMatchObject([{ action: 'create', entity: 'Tag' }]);
    });

    it('follow the words of a product through patch, import, revert and removal', async () => {
      const product = await aProduct({ tags: ['red', 'green'] });
      const url = `/v1/products/${product}`;
      const countOf = async () => [(await tagOf('red')).products, (await tagOf('green')).products];
      expect(await countOf()).toEqual([1, 1]);
      await call(url, { tags: ['green'] }, 'PATCH');
      expect(await countOf()).toEqual([0, 1]);
      const line = JSON.stringify({ ...lamp, sku: `lamp-${count}`, tags: ['red'] });
      const headers = { 'content-type': 'application/x-ndjson' };
      const imported = await acme.owner.call('/v1/products/import', { headers, body: line });
      expect(imported.body).toMatchObject({ updated: 1, rejectedCount: 0 });
      expect(await countOf()).toEqual([1, 0]);
      await call(`${url}/revert`, { version: 1 });
      expect(await countOf()).toEqual([1, 1]);
      await call(url, undefined, 'DELETE');
      expect(await countOf()).toEqual([0, 0]);
      // Back from the dead, with what it was tagged with.
      await call(`${url}/revert`, { version: 2 });
      expect(await countOf()).toEqual([0, 1]);
    });

    it('that are new to many requests at once are made once', async () => {
      const made = await Promise.all(Array.from({ length: 8 }, () => aProduct({ tags: ['fresh-1', 'fresh-2'] })));
      expect(await idsOf('filter[tag]=fresh-2')).toEqual(made.sort());
      const { data } = (await call('/v1/tags?limit=100')).body;
      const fresh = data.filter(({ name }: { name: string }) => name.startsWith('fresh'));
      expect(fresh.map(({ products }: { products: number }) => products)).toEqual([8, 8]);
      for (const { id } of fresh) expect(await trailOf(id)).toHaveLength(1);
    });

    it('take a new name into every product, and leave with their word', async () => {
      const products = [await aProduct({ tags: ['sofa', 'soft'] }), await aProduct({ tags: ['Sofa'] })];
      const { id } = await tagOf('sofa');
      const renamed = await call(`/v1/tags/${id}`, { name: 'Couch', description: 'To sit on' }, 'PATCH');
      expect(renamed.body).toMatchObject({ id, name: 'Couch', description: 'To sit on', products: 2, version: 2 });
      const wordsOf = async (product: string) => (await call(`/v1/products/${product}`)).body.tags;
      expect(await Promise.all(products.map(wordsOf))).toEqual([['Couch', 'soft'], ['Couch']]);
      expect((await trailOf(products[1] ?? ''))[0].changes.tags).toEqual({ old: ['Sofa'], new: ['Couch'] });
      expect((await call(`/v1/tags/${id}`, { name: 'SOFT' }, 'PATCH')).status).toBe(409);
      expect((await call(`/v1/tags/${id}`, undefined, 'DELETE')).status).toBe(204);
      expect(await Promise.all(products.map(wordsOf))).toEqual([['soft'], []]);
      expect((await call(`/v1/tags/${id}`)).status).toBe(404);
      expect(await idsOf('filter[tag]=couch')).toEqual([]);
    });

    it('are made beforehand, once, and belong to one tenant', async () => {
      const id = await made('/v1/tags', { name: 'Planned', description: 'For spring' });
      expect((await call('/v1/tags', { name: 'planned' })).status).toBe(409);
      expect((await globex.owner.call('/v1/tags', { body: { name: 'Planned' } })).status).toBe(201);
      expect((await globex.owner.call(`/v1/tags/${id}`)).status).toBe(404);
      const product = await aProduct({ tags: ['planned'] });
      expect((await call(`/v1/tags/${id}`)).body).toMatchObject({ name: 'Planned', products: 1 });
      expect(await idsOf('filter[tag]=Planned')).toEqual([product]);
      const stale = { method: 'PATCH' as const, headers: { 'if-match': '"v7"' }, body: { description: null } };
      expect((await acme.owner.call(`/v1/tags/${id}`, stale)).status).toBe(412);
      for (const name of ['', 'a"b', 'x'.repeat(51), 'a\nb', 7, null]) {
        expect((await call('/v1/tags', { name } as object)).status).toBe(400);
      }
    });

    it('are listed by name, page by page', async () => {
      for (const name of ['zz-1', 'zz-2', 'zz-3']) await made('/v1/tags', { name });
      const names: string[] = [];
      for (let cursor: string | null = null; ; ) {
        const { body } = await call(`/v1/tags?limit=2${cursor ? `&cursor=${cursor}` : ''}`);
        names.push(...body.data.map(({ name }: { name: string }) => name));
        cursor = body.nextCursor;
        if (!cursor) break;
      }
      expect(names.slice(-3)).toEqual(['zz-1', 'zz-2', 'zz-3']);
      expect(new Set(names).size).toBe(names.length);
    });
  });
});
