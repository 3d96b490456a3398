import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ApiClient, type SignedUpTenant, signUp } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

const price = { amount: 100, currency: 'EUR' };
const song = (sku: string, rest: object = {}) =>
  JSON.stringify({ type: 'digital', sku, name: `Song ${sku}`, price, ...rest });
const NDJSON = { 'content-type': 'application/x-ndjson' };

describe('POST /v1/products/import', () => {
  let test: TestApp;
  let acme: SignedUpTenant;
  let globex: SignedUpTenant;
  beforeAll(async () => {
    test = await startTestApp();
    acme = await signUp(test.app, 'acme');
    globex = await signUp(test.app, 'globex');
  });
  afterAll(() => test.close());

  const send = (client: ApiClient, lines: string[] | string | Buffer) =>
    client.call('/v1/products/import', {
      method: 'POST',
      headers: NDJSON,
      body: Array.isArray(lines) ? lines.join('\n') : lines,
    });
  const find = async (client: ApiClient, sku: string) =>
    (await client.call(`/v1/products?filter[sku]=${sku}`)).body.data[0];

  it('inserts what is new, brings known products up to date, and leaves equal ones alone', async () => {
    const first = await send(acme.owner, [song('a'), song('b', { tags: ['x'] }), song('c')]);
    expect(first.status).toBe(200);
    expect(first.body).toEqual({ inserted: 3, updated: 0, unchanged: 0, rejectedCount: 0, rejected: [] });
    const second = await send(acme.owner, [song('a'), song('b', { tags: ['x', 'y'], downloadSizeKb: 7 }), song('d')]);
    expect(second.body).toMatchObject({ inserted: 1, updated: 1, unchanged: 1, rejectedCount: 0 });
    expect(await find(acme.owner, 'a')).toMatchObject({ version: 1 });
    expect(await find(acme.owner, 'b')).toMatchObject({ version: 2, tags: ['x', 'y'], downloadSizeKb: 7 });
    expect(await find(globex.owner, 'b')).toBeUndefined();
  });

  it('records each product as if it had been changed alone: who, from which request, old and new', async () => {
    const product = await find(acme.owner, 'b');
    const { data } = (await acme.owner.call(`/v1/audit?entity=DigitalProduct&entityId=${product.id}`)).body;
    expect(data).toMatchObject([
      {
        action: 'update',
        changes: {
          tags: { old: ['x'], new: ['x', 'y'] },
          downloadSizeKb: { old: null, new: 7 },
          version: { old: 1, new: 2 },
        },
        actor: { email: acme.email },
        route: '/v1/products/import',
      },
      { action: 'create', changes: { sku: { old: null, new: 'b' }, tags: { old: null, new: ['x'] } } },
    ]);
    const unchanged = await find(acme.owner, 'a');
    expect((await acme.owner.call(`/v1/audit?entityId=${unchanged.id}`)).body.data).toHaveLength(1);
  });

  it('imports all three types, and keeps a product what it is', async () => {
    const book = { type: 'book', sku: 'mixed-1', name: 'Book', price, isbn: '1', stock: 2 };
    const lamp = { type: 'electronic', sku: 'mixed-2', name: 'Lamp', price, warrantyMonths: 24 };
    const { body } = await send(acme.owner, [book, lamp].map((it) => JSON.stringify(it)).concat(song('mixed-3')));
    expect(body).toMatchObject({ inserted: 3, rejectedCount: 0 });
    expect(await find(acme.owner, 'mixed-1')).toMatchObject(book);
    expect(await find(acme.owner, 'mixed-2')).toMatchObject(lamp);
    const clash = await send(acme.owner, [song('mixed-4'), song('mixed-1')]);
    expect(clash.body).toMatchObject({ inserted: 1, rejected: [{ line: 2, code: 'type_conflict' }] });
    expect(await find(acme.owner, 'mixed-1')).toMatchObject(book);
  });

  it('names every line it rejects by number and imports the others', async () => {
    const { status, body } = await send(acme.owner, [
      song('r-1'),
      '{"type":',
      '',
      song('r-2', { name: { $ne: null } }),
      song('r-3', { tenantId: globex.id }),
      'null',
      song('r-4'),
    ]);
    expect(status).toBe(200);
    expect(body).toMatchObject({ inserted: 2, rejectedCount: 4 });
    expect(body.rejected).toEqual([
      { line: 2, code: 'malformed_json', detail: expect.any(String) },
      { line: 4, code: 'invalid_input', detail: expect.stringMatching(/^\/name: /) },
      { line: 5, code: 'invalid_input', detail: expect.stringMatching(/^\/tenantId: /) },
      { line: 6, code: 'invalid_input', detail: expect.any(String) },
    ]);
    for (const sku of ['r-1', 'r-4']) expect(await find(acme.owner, sku)).toBeDefined();
    for (const sku of ['r-2', 'r-3']) expect(await find(acme.owner, sku)).toBeUndefined();
  });

  it('applies lines of one sku in their order', async () => {
    const { body } = await send(acme.owner, [song('same'), song('same', { stock: 1 }), song('same', { stock: 2 })]);
    expect(body).toMatchObject({ inserted: 1, updated: 2 });
    expect(await find(acme.owner, 'same')).toMatchObject({ stock: 2, version: 3 });
  });

  it('takes a line without an end, an emoji, quotes and a line that is too long', async () => {
    const name = `"quoted' \\ 手机 💡 ${'%_'}`;
    const { body } = await send(
      acme.owner,
      `${song('emoji', { name })}\r\n${song('long', { name: 'x'.repeat(70_000) })}`,
    );
    expect(body).toMatchObject({ inserted: 1, rejected: [{ line: 2, code: 'line_too_long' }] });
    expect(await find(acme.owner, 'emoji')).toMatchObject({ name });
  });

  it('counts more rejected lines than it lists', async () => {
    const { body } = await send(acme.owner, Array(1_200).fill('x'));
    expect(body.rejectedCount).toBe(1_200);
    expect(body.rejected).toHaveLength(1_000);
  });

  it('takes nothing from an empty body, and refuses JSON, other media types and viewers of other tenants', async () => {
    expect((await send(acme.owner, '')).body).toMatchObject({ inserted: 0, rejectedCount: 0 });
    const json = await acme.owner.call('/v1/products/import', { body: [] });
    expect(json).toMatchObject({ status: 415, body: { code: 'unsupported_media_type' } });
    const foreign = await acme.owner.call('/v1/products/import', {
      method: 'POST',
      headers: { ...NDJSON, 'x-tenant': 'globex' },
      body: song('foreign'),
    });
    expect(foreign.status).toBe(403);
    expect(await find(globex.owner, 'foreign')).toBeUndefined();
  });

  it('imports the 500 products of the demo tenant, twice', async () => {
    const sample = readFileSync('database/seeders/acme-products.ndjson');
    expect((await send(globex.owner, sample)).body).toMatchObject({ inserted: 500, rejectedCount: 0 });
    expect((await send(globex.owner, sample)).body).toMatchObject({ inserted: 0, updated: 0, unchanged: 500 });
    const { data } = (await globex.owner.call('/v1/audit?action=create&limit=100')).body;
    expect(data).toHaveLength(100);
  });
});
