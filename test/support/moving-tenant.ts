import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { DEMO_OPERATOR, type MoveOptions, TenantMoveService, TenantPurgeService } from '#apps/api';
import { AuditVerifier } from '#libs/audit';
import { runAs, runInContext } from '#libs/context';
import { TenantStore } from '#libs/tenancy';
import { ApiClient, logIn, withToken } from './api-client.js';
import { startTestApp, type TestApp } from './test-app.js';

/** Nobody reads at old places here. */
const AT_ONCE: MoveOptions = { settleMs: 0 };
const price = { amount: 4999, currency: 'EUR' };

/** An installation with one shard per database, seen by as many processes as there are environments. */
export async function anInstallation(shards: Record<string, string>, central: string, ...environments: object[]) {
  const folder = mkdtempSync(join(tmpdir(), 'rowhouse-move-'));
  const shared = {
    CENTRAL_URL: central,
    SHARDS: Object.entries(shards)
      .map(([id, url]) => `${id}=${url}`)
      .join(),
    JWT_SECRET: 'f3Q9rL0vXw2mZt7yKc5bNh8jUa1sEd4g',
    AUDIT_KEYS_FILE: join(folder, 'keys.json'),
  };
  const apps: TestApp[] = [];
  for (const environment of environments) apps.push(await startTestApp({ ...shared, ...environment }));
  const close = async () => {
    for (const { app } of apps) await app.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { apps, environment: shared, close };
}

/** A tenant with rows of many kinds, and what it takes to look after them. */
export class MovingTenant {
  readonly acknowledged = new Set<string>();
  /** Statuses of everything that was not acknowledged. */
  readonly refused = new Set<string>();
  count = 0;

  private constructor(
    readonly app: TestApp,
    readonly slug: string,
    readonly client: ApiClient,
    readonly token: string,
  ) {}

  static async signUp(test: TestApp, slug: string, placement: object): Promise<MovingTenant> {
    const operator = withToken(test.app, await logIn(test.app, DEMO_OPERATOR.email, DEMO_OPERATOR.password));
    const owner = { email: `owner@${slug}.example`, password: `password of ${slug}`, name: 'Olga' };
    const { status } = await operator.call('/v1/platform/tenants', { body: { slug, name: slug, owner, placement } });
    expect(status).toBe(201);
    const token = await logIn(test.app, owner.email, owner.password);
    const guest = new MovingTenant(test, slug, withToken(test.app, token), token);
    await guest.fill();
    return guest;
  }

  /** A tree, class tables, links, money, a keyed request. */
  async fill(): Promise<void> {
    const post = async (url: string, body: object, headers = {}) => {
      const answer = await this.client.call(url, { body, headers });
      expect([url, answer.status, answer.status < 300 ? '' : answer.text]).toEqual([url, expect.any(Number), '']);
      return answer.body;
    };
    const root = await post('/v1/categories', { name: 'root' });
    const leaf = await post('/v1/categories', { name: 'leaf', parentId: root.id });
    await post('/v1/products', {
      type: 'book',
      sku: 'tea',
      name: 'Tea “für” 茶',
      price,
      isbn: '1',
      tags: ['hot', 'green'],
      categoryId: leaf.id,
    });
    const wallet = await post('/v1/wallets', { currency: 'EUR' }, { 'idempotency-key': 'a-key-of-a-wallet' });
    await post(`/v1/wallets/${wallet.id}/deposits`, { amount: 900 });
  }

  /** One product more; on record here when it was acknowledged. */
  async write(client = this.client): Promise<number> {
    const sku = `sku-${++this.count}`;
    const answer = await client.call('/v1/products', { body: { type: 'book', sku, name: sku, price, isbn: '1' } });
    if (answer.status === 201) this.acknowledged.add(sku);
    else this.refused.add(`${answer.status} ${answer.body.code}`);
    if (answer.status === 503) expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    return answer.status;
  }

  async skus(client = this.client): Promise<string[]> {
    const skus: string[] = [];
    for (let cursor = ''; ; ) {
      const { status, body } = await client.call(`/v1/products?limit=100${cursor}`);
      expect(status).toBe(200);
      skus.push(...body.data.map((it: { sku: string }) => it.sku));
      if (!body.nextCursor) return skus.sort();
      cursor = `&cursor=${encodeURIComponent(body.nextCursor)}`;
    }
  }

  move(wanted: object, options = AT_ONCE) {
    return runInContext({ actor: { id: 'spec', type: 'system' } }, () =>
      this.app.app.get(TenantMoveService).move(this.slug, wanted, options),
    );
  }

  record() {
    return runInContext({}, () => this.app.app.get(TenantStore).getBySlug(this.slug));
  }

  async expectWhole(): Promise<void> {
    expect(await this.skus()).toEqual([...this.acknowledged, 'tea'].sort());
    const { body } = await this.client.call('/v1/products?filter[sku]=tea');
    expect(body.data).toMatchObject([{ name: 'Tea “für” 茶', price, tags: ['hot', 'green'] }]);
    const tenant = await this.record();
    const verdict = await runAs({ tenant, actor: { id: 'spec', type: 'system' } }, () =>
      this.app.app.get(AuditVerifier).verify(),
    );
    expect(verdict).toMatchObject({ ok: true });
  }

  async purge(): Promise<void> {
    const operator = withToken(this.app.app, await logIn(this.app.app, DEMO_OPERATOR.email, DEMO_OPERATOR.password));
    await operator.call(`/v1/platform/tenants/${this.slug}`, { method: 'DELETE' });
    await runInContext({}, () => this.app.app.get(TenantPurgeService).purge(this.slug));
  }
}
