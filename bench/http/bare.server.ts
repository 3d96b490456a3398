// The control: what the same answer costs at the least. Bare Fastify, its own check of an HS256 token by node:crypto, one
// prepared driver query with the same joins, the same JSON.

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import Database from 'better-sqlite3';
import Fastify from 'fastify';

const { FILE = '', TENANT_ID = '', PATH_ASKED = '' } = process.env;
const key = 'the key of the control, which is no secret';
const sign = (text: string) => createHmac('sha256', key).update(text).digest();
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const unsigned = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ tid: TENANT_ID, exp: Date.now() / 1000 + 3600 })}`;
const token = `${unsigned}.${sign(unsigned).toString('base64url')}`;

const find = new Database(FILE, { readonly: true }).prepare<[string, string], Record<string, string & number>>(
  `select p.*, b.isbn, e.warranty_months, d.download_size_kb from product p
   left join book b on b.tenant_id = p.tenant_id and b.id = p.id
   left join electronic e on e.tenant_id = p.tenant_id and e.id = p.id
   left join digital_product d on d.tenant_id = p.tenant_id and d.id = p.id
   where p.tenant_id = ? and p.id = ?`,
);

function tenantOf(authorization: string | undefined): string | undefined {
  const [header, payload = '', signature = ''] = authorization?.slice('Bearer '.length).split('.') ?? [];
  const given = Buffer.from(signature, 'base64url');
  const expected = sign(`${header}.${payload}`);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  const { tid, exp } = JSON.parse(Buffer.from(payload, 'base64url').toString());
  return exp > Date.now() / 1000 ? tid : undefined;
}

const fastify = Fastify();
fastify.get<{ Params: { id: string } }>('/v1/products/:id', (request, reply) => {
  const tenantId = tenantOf(request.headers.authorization);
  if (!tenantId) return reply.code(401).send();
  const row = find.get(tenantId, request.params.id);
  if (!row) return reply.code(404).send();
  return {
    id: row.id,
    type: row.type,
    sku: row.sku,
    name: row.name,
    price: { amount: row.price_amount, currency: row.price_currency },
    stock: row.stock,
    tags: JSON.parse(String(row.tags)),
    isbn: row.isbn,
    version: row.version,
    createdAt: new Date(Number(row.created_at)).toISOString(),
    updatedAt: new Date(Number(row.updated_at)).toISOString(),
  };
});
await fastify.listen({ port: 0, host: '127.0.0.1' });

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.((user + system) / 1000);
});
process.on('SIGTERM', () => process.exit(0));
process.send?.({ port: (fastify.server.address() as AddressInfo).port, path: PATH_ASKED, token, facts: {} });
