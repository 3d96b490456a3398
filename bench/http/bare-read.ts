// What every control of this benchmark does, with nothing around it: its own check of an HS256 token by node:crypto, one
// prepared driver query with the same joins, the same JSON.
import { createHmac, timingSafeEqual } from 'node:crypto';
import Database from 'better-sqlite3';

const { FILE = '', TENANT_ID = '', PATH_ASKED = '' } = process.env;
const key = 'the key of the control, which is no secret';
const sign = (text: string) => createHmac('sha256', key).update(text).digest();
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const unsigned = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ tid: TENANT_ID, exp: Date.now() / 1000 + 3600 })}`;
const token = `${unsigned}.${sign(unsigned).toString('base64url')}`;

const statement = new Database(FILE, { readonly: true }).prepare<[string, string], Record<string, string & number>>(
  `select p.*, b.isbn, e.warranty_months, d.download_size_kb from product p
   left join book b on b.tenant_id = p.tenant_id and b.id = p.id
   left join electronic e on e.tenant_id = p.tenant_id and e.id = p.id
   left join digital_product d on d.tenant_id = p.tenant_id and d.id = p.id
   where p.tenant_id = ? and p.id = ?`,
);

export function tenantOf(authorization: string | undefined): string | undefined {
  const [header, payload = '', signature = ''] = authorization?.slice('Bearer '.length).split('.') ?? [];
  const given = Buffer.from(signature, 'base64url');
  const expected = sign(`${header}.${payload}`);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  const { tid, exp } = JSON.parse(Buffer.from(payload, 'base64url').toString());
  return exp > Date.now() / 1000 ? tid : undefined;
}

export function findProduct(tenantId: string, id: string): object | undefined {
  const row = statement.get(tenantId, id);
  return (
    row && {
      id: row.id,
      type: row.type,
      sku: row.sku,
      name: row.name,
      price: { amount: row.price_amount, currency: row.price_currency },
      stock: row.stock,
      tags: JSON.parse(String(row.tags)),
      categoryId: row.category_id,
      isbn: row.isbn,
      version: row.version,
      createdAt: new Date(Number(row.created_at)).toISOString(),
      updatedAt: new Date(Number(row.updated_at)).toISOString(),
    }
  );
}

/** Tells the benchmark where a control listens, and from then on the CPU time of its process. */
export function report(url: string): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.((user + system) / 1000);
  });
  process.on('SIGTERM', () => process.exit(0));
  process.send?.({ port: Number(new URL(url).port), path: PATH_ASKED, token, facts: {} });
}
