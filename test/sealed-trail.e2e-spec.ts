import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { isConsistent, isIncluded } from '#libs/audit';
import { ormOptions, runInSystemFrame } from '#libs/persistence';
import { ShardRegistry } from '#libs/sharding';
import { type SignedUpTenant, signUp } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

describe('the sealed trail over HTTP', () => {
  let test: TestApp;
  let acme: SignedUpTenant;
  beforeAll(async () => {
    test = await startTestApp();
    acme = await signUp(test.app, 'acme');
    for (let index = 0; index < 3; index++) {
      const price = { amount: 100, currency: 'EUR' };
      const body = { type: 'book', sku: `s-${index}`, name: `Book ${index}`, price, isbn: '9783161484100' };
      await acme.owner.call('/v1/products', { body });
    }
  });
  afterAll(() => test.close());

  /** On every shard, past everything. */
  const administer = (sql: string, values: unknown[]) =>
    runInSystemFrame('administer', async () => {
      const shards = test.app.get(ShardRegistry).all();
      for (const { orm } of shards) await (orm.em.fork() as SqlEntityManager).execute(sql, values);
    });

  it('is sealed soon after each commit, though nobody asks for it', async () => {
    const sizeOf = async () => (await acme.owner.call('/v1/audit/checkpoints')).body.data.at(-1)?.size ?? 0;
    while ((await sizeOf()) < 4) await delay(50);
    const before = await sizeOf();
    await acme.owner.call('/v1/tags', { body: { name: 'one more' } });
    while ((await sizeOf()) === before) await delay(50);
  });

  it('has everything sealed when the application has closed', async () => {
    const closing = await startTestApp();
    const { owner } = await signUp(closing.app, 'closing');
    await owner.call('/v1/tags', { body: { name: 'the last one' } });
    await closing.app.close();
    const rows = await Promise.all(
      closing.config.shards.map(async ({ url }) => {
        const orm = await MikroORM.init<AbstractSqlDriver>(
          ormOptions(url, { entities: [], discovery: { warnWhenNoEntities: false } }),
        );
        const [row] = await (orm.em.fork() as SqlEntityManager).execute<{ entries: number; unsealed: number }[]>(
          'select count(*) as entries, count(*) - count(s.id) as unsealed from audit_entry e ' +
            'left join audit_seal s on s.tenant_id = e.tenant_id and s.id = e.id',
        );
        await orm.close(true);
        return row;
      }),
    );
    expect(rows.map((row) => row?.unsealed)).toEqual(rows.map(() => 0));
    expect(rows.some((row) => (row?.entries ?? 0) >= 2)).toBe(true);
    await closing.close();
  });

  it('verifies, and puts the verification on record', async () => {
    const { body, status } = await acme.owner.call('/v1/audit/verify');
    expect(status).toBe(200);
    expect(body).toMatchObject({ ok: true, entries: expect.any(Number), head: expect.any(String) });
    expect(body.entries).toBeGreaterThanOrEqual(4);
    const { data } = (await acme.owner.call('/v1/audit?action=audit_verified')).body;
    expect(data).toMatchObject([{ changes: { ok: { new: true }, entries: { new: body.entries } } }]);
  });

  it('proves an entry, and that a former checkpoint is the beginning of the present one', async () => {
    const { data: before } = (await acme.owner.call('/v1/audit/checkpoints')).body;
    const kept = before.at(-1);
    const [entry] = (await acme.owner.call('/v1/audit?entity=Book&limit=1')).body.data;
    const proof = (await acme.owner.call(`/v1/audit/${entry.id}/proof`)).body;
    expect(proof.entry).toMatchObject({ id: entry.id, action: 'create', tenantId: acme.id });
    expect(isIncluded(proof)).toBe(true);
    const { data: looks } = (await acme.owner.call('/v1/audit?action=audit_read&limit=1')).body;
    expect(looks).toMatchObject([{ changes: { proofOf: { new: entry.id } } }]);
    const consistency = (await acme.owner.call(`/v1/audit/consistency?from=${kept.size}`)).body;
    expect(isConsistent(kept, consistency)).toBe(true);
    expect((await acme.owner.call('/v1/audit/consistency?from=100000')).status).toBe(409);
    const verdict = await acme.owner.call('/v1/audit/verify', { body: { checkpoint: kept } });
    expect(verdict.body).toMatchObject({ ok: true });
  });

  it('shows a tenant proofs of its own entries alone', async () => {
    const globex = await signUp(test.app, 'globex');
    const [entry] = (await acme.owner.call('/v1/audit?limit=1')).body.data;
    expect((await globex.owner.call(`/v1/audit/${entry.id}/proof`)).status).toBe(404);
    expect((await globex.owner.call('/v1/audit/verify')).body).toMatchObject({ ok: true });
    const [foreign] = (await acme.owner.call('/v1/audit/checkpoints')).body.data;
    const verdict = await globex.owner.call('/v1/audit/verify', { body: { checkpoint: foreign } });
    expect(verdict.body).toMatchObject({ ok: false, fault: { kind: 'foreign' } });
  });

  it('names the first entry that is not as it was', async () => {
    const { data } = (await acme.owner.call('/v1/audit?entity=Book')).body;
    const { id } = data.at(-1);
    await acme.owner.call('/v1/audit/verify');
    await administer("update audit_entry set actor_id = 'somebody else' where id = ?", [id]);
    const { body } = await acme.owner.call('/v1/audit/verify');
    expect(body).toMatchObject({ ok: false, fault: { kind: 'changed', position: 2, entryId: id } });
  });
});
