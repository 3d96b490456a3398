// Rowhouse with one tenant and one product, asked for by its owner.
import { createApp, prepareData, readConfig } from '#apps/api';

const config = readConfig({
  NODE_ENV: 'test',
  LOG_LEVEL: 'silent',
  SEED_DEMO: 'false',
  DATA_DIR: process.env.DATA_DIR,
});
const app = await createApp(config);
await prepareData(app, config, () => {});
await app.listen(0, '127.0.0.1');
const url = await app.getUrl();

async function post(path: string, body: object, token?: string) {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  });
  return response.json();
}

const owner = { email: 'owner@bench.example', password: 'a password for the bench', name: 'Owner' };
const { tenant } = await post('/v1/tenants', { slug: 'bench', name: 'Bench', owner });
const { accessToken } = await post('/v1/auth/login', { email: owner.email, password: owner.password });
const book = {
  type: 'book',
  sku: 'b',
  name: 'A book',
  price: { amount: 1250, currency: 'EUR' },
  tags: ['a', 'b'],
  isbn: '9783161484100',
};
const { id } = await post('/v1/products', book, accessToken);

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.((user + system) / 1000);
});
process.on('SIGTERM', () => app.close().then(() => process.exit(0)));
process.send?.({
  port: Number(new URL(url).port),
  path: `/v1/products/${id}`,
  token: accessToken,
  facts: { tenantId: tenant.id },
});
