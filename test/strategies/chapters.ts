import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Teller } from '../support/story.js';

/** One part of what an application does for a tenant. */
export interface Chapter {
  readonly title: string;
  /** Statuses of the answers, in order: that all tenants are answered alike must not mean that all are refused. */
  readonly statuses: readonly number[];
  tell(teller: Teller, slug: string, app: NestFastifyApplication): Promise<void>;
}

const price = { amount: 1250, currency: 'EUR' };
const book = { type: 'book', sku: 'tea', name: 'The Book of Tea', price, isbn: '9783161484100', tags: ['a', '灯'] };
const lamp = { type: 'electronic', sku: 'lamp', name: 'Lamp 💡', price, stock: 3, warrantyMonths: 24 };
const song = (sku: string) => JSON.stringify({ type: 'digital', sku, name: `Song ${sku}`, price });
const NDJSON = { 'content-type': 'application/x-ndjson' };
/** No tenant has a row of this id. */
const NOBODYS = '01890000-0000-7000-8000-000000000000';

/** Told to each tenant in this order: later ones build on what earlier ones left. */
export const chapters: readonly Chapter[] = [
  {
    title: 'keeps products, finds, lists, changes and deletes them',
    statuses: [201, 201, 200, 200, 200, 412, 409, 404, 400, 201, 204, 404, 200],
    async tell(teller) {
      const { id } = await teller.call('/v1/products', { body: book });
      await teller.call('/v1/products', { body: lamp });
      await teller.call(`/v1/products/${id}`);
      await teller.call('/v1/products?sort=name&filter[name][contains]=a&filter[price][gte]=100&limit=1');
      await teller.call(`/v1/products/${id}`, {
        method: 'PATCH',
        headers: { 'if-match': '"v1"' },
        body: { name: 'Tea', tags: ['b'] },
      });
      await teller.call(`/v1/products/${id}`, {
        method: 'PATCH',
        headers: { 'if-match': '"v1"' },
        body: { name: 'x' },
      });
      await teller.call('/v1/products', { body: book });
      await teller.call(`/v1/products/${NOBODYS}`);
      await teller.call('/v1/products', { body: { ...book, price: { amount: 1.5, currency: 'EUR' } } });
      const { id: gone } = await teller.call('/v1/products', { body: { ...book, sku: 'gone' } });
      await teller.call(`/v1/products/${gone}`, { method: 'DELETE' });
      await teller.call(`/v1/products/${gone}`);
      await teller.call('/v1/products?sort=sku&filter[tag]=b');
    },
  },
  {
    title: 'imports by the thousand lines, new and known ones alike',
    statuses: [200, 200, 200],
    async tell(teller) {
      const lines = Array.from({ length: 60 }, (_, n) => song(`song-${String(n).padStart(3, '0')}`));
      const send = (all: string[]) =>
        teller.call('/v1/products/import', { method: 'POST', headers: NDJSON, body: all.join('\n') });
      await send(lines);
      await send([...lines.slice(1), song('song-999'), '{"type":"digital"}']);
      await teller.call('/v1/products?sort=-sku&limit=3&filter[type]=digital');
    },
  },
  {
    title: 'takes orders and payments, and keeps money and stock right',
    statuses: [201, 409, 201, 201, 201, 201, 409, 200, 200, 200, 200],
    async tell(teller) {
      const { data } = (await teller.owner.call('/v1/products?filter[sku]=lamp')).body;
      const order = (quantity: number) =>
        teller.call('/v1/orders', { body: { lines: [{ productId: data[0].id, quantity }] } });
      const { id } = await order(2);
      await order(2);
      const from = await teller.call('/v1/wallets', { body: { currency: 'EUR' } });
      await teller.call(`/v1/wallets/${from.id}/deposits`, { body: { amount: 3000 } });
      const to = await teller.call('/v1/wallets', { body: { currency: 'EUR' } });
      await teller.call('/v1/transfers', { body: { from: from.id, to: to.id, amount: 100 } });
      await teller.call('/v1/transfers', { body: { from: from.id, to: to.id, amount: 10_000 } });
      await teller.call(`/v1/orders/${id}/pay`, { body: { method: 'wallet', walletId: from.id } });
      await teller.call(`/v1/wallets/${from.id}`);
      await teller.call(`/v1/orders/${id}`);
      await teller.call(`/v1/products/${data[0].id}`);
    },
  },
  {
    title: 'has every change on record, and the past of a product',
    statuses: [200, 200, 200, 200, 200, 200],
    async tell(teller) {
      const { data } = (await teller.owner.call('/v1/products?filter[sku]=tea')).body;
      const url = `/v1/products/${data[0].id}`;
      await teller.call(`/v1/audit?entityId=${data[0].id}`);
      await teller.call('/v1/audit?entity=Order&limit=5');
      await teller.call(`${url}/versions`);
      await teller.call(`${url}/diff?from=1&to=2`);
      await teller.call(`${url}/revert`, { body: { version: 1 } });
      await teller.call(url);
    },
  },
  {
    title: 'does once what is asked twice with one key',
    statuses: [201, 201, 422, 200],
    async tell(teller) {
      const headers = { 'idempotency-key': 'the-same' };
      await teller.call('/v1/products', { body: { ...book, sku: 'once' }, headers });
      await teller.call('/v1/products', { body: { ...book, sku: 'once' }, headers });
      await teller.call('/v1/products', { body: { ...book, sku: 'other' }, headers });
      await teller.call('/v1/products?filter[sku]=once');
    },
  },
  {
    title: 'lets its people in, each as far as the role goes',
    statuses: [201, 200, 403, 200, 201, 200, 403],
    async tell(teller, slug, app) {
      const email = `viewer@${slug}.example`;
      const password = `password of ${slug}`;
      await teller.call('/v1/members', { body: { email, name: 'Vera', password, role: 'viewer' } });
      const viewer = await teller.logIn(app, email, password);
      await teller.call('/v1/products?sort=sku&limit=2', {}, viewer);
      await teller.call('/v1/products', { body: { ...book, sku: 'no' } }, viewer);
      await teller.call('/v1/members');
      const { key } = await teller.call('/v1/api-keys', { body: { name: 'robot', permissions: ['catalogue:read'] } });
      const robot = { headers: { 'x-api-key': String(key) } };
      await teller.call('/v1/products?sort=sku&limit=1', robot, teller.anonymous);
      await teller.call('/v1/orders', robot, teller.anonymous);
    },
  },
];
