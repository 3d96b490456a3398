import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { runInSystemFrame } from '#libs/persistence';
import { ShardRegistry } from '#libs/sharding';
import { createTestDatabase, eachEngine, type TestDatabase } from '#libs/testing';
import { IdempotencyStore } from '../apps/api/src/http/idempotency/idempotency-store.js';
import { type Answer, ApiClient, logIn, type SignedUpTenant, signUp, withToken } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

eachEngine((engine) => {
  describe('a POST with an Idempotency-Key', () => {
    let database: TestDatabase;
    let test: TestApp;
    let acme: SignedUpTenant;
    let globex: SignedUpTenant;
    let count = 0;
    beforeAll(async () => {
      database = await createTestDatabase(engine);
      test = await startTestApp({ SHARDS: `shard-1=${database.url}` });
      acme = await signUp(test.app, 'acme');
      globex = await signUp(test.app, 'globex');
    }, 60_000);
    afterAll(async () => {
      await test.close();
      await database.drop();
    });

    const newKey = () => `key-${count++}`;
    const book = (sku: string) => ({
      type: 'book',
      sku,
      name: sku,
      price: { amount: 100, currency: 'EUR' },
      isbn: '9780262046305',
    });
    const create = (key: string, body: unknown, by: ApiClient = acme.owner) =>
      by.call('/v1/products', { body, headers: { 'idempotency-key': key } });
    const find = async (sku: string, by = acme.owner) =>
      (await by.call(`/v1/products?filter[sku]=${sku}`)).body.data as { id: string }[];
    const sql = (statement: string, parameters: unknown[] = []) =>
      runInSystemFrame('look into the tenant database', async () => {
        const em = test.app.get(ShardRegistry).get('shard-1').em.fork() as SqlEntityManager;
        return em.execute(statement, parameters);
      });
    const seen = ({ status, text, headers: { location, etag } }: Answer) => ({ status, text, location, etag });

    it('is done once, and answered alike as often as it comes', async () => {
      const key = newKey();
      const first = await create(key, book('once'));
      expect(first.status).toBe(201);
      expect(first.headers).not.toHaveProperty('idempotency-replayed');
      for (let round = 0; round < 2; round++) {
        const again = await create(key, book('once'));
        expect(seen(again)).toEqual(seen(first));
        expect(again.headers['idempotency-replayed']).toBe('true');
      }
      expect(await find('once')).toHaveLength(1);
      const { body } = await acme.owner.call(`/v1/audit?entityId=${first.body.id}`);
      expect(body.data.map((it: { action: string }) => it.action)).toEqual(['create']);
    });

    it('is refused when the key came before with another body', async () => {
      const key = newKey();
      await create(key, book('first-body'));
      const other = await create(key, book('other-body'));
      expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_conflict' } });
      expect(await find('other-body')).toEqual([]);
    });

    it('runs once when it comes five times at once', async () => {
      const key = newKey();
      const answers = await Promise.all(Array.from({ length: 5 }, () => create(key, book('at-once'))));
      const fresh = answers.filter((it) => it.status === 201 && !it.headers['idempotency-replayed']);
      expect(fresh).toHaveLength(1);
      for (const other of answers.filter((it) => !fresh.includes(it))) {
        if (other.status === 201) expect(other.text).toBe(fresh[0]?.text);
        else expect(other).toMatchObject({ status: 409, body: { code: 'conflict' } });
      }
      expect(await find('at-once')).toHaveLength(1);
    });

    it('runs again after a failure, of which nothing is kept', async () => {
      const key = newKey();
      const { body: obstacle } = await acme.owner.call('/v1/products', { body: book('taken') });
      expect(await create(key, book('taken'))).toMatchObject({ status: 409, body: { code: 'conflict' } });
      await acme.owner.call(`/v1/products/${obstacle.id}`, { method: 'DELETE' });
      const again = await create(key, book('taken'));
      expect(again.status).toBe(201);
      expect(again.headers).not.toHaveProperty('idempotency-replayed');
      const invalid = newKey();
      expect((await create(invalid, { type: 'book' })).status).toBe(400);
      expect((await create(invalid, book('after-invalid'))).status).toBe(201);
    });

    it('takes its work back when the answer cannot be stored', async () => {
      const key = newKey();
      const complete = jest.spyOn(test.app.get(IdempotencyStore), 'complete');
      complete.mockRejectedValueOnce(new Error('the disk is full'));
      expect((await create(key, book('rolled-back'))).status).toBe(500);
      expect(complete).toHaveBeenCalledTimes(1);
      complete.mockRestore();
      expect(await find('rolled-back')).toEqual([]);
      const { body } = await acme.owner.call('/v1/audit?limit=1');
      expect(JSON.stringify(body.data)).not.toContain('rolled-back');
      expect((await create(key, book('rolled-back'))).status).toBe(201);
    });

    it('moves money once, though the transfer begins a transaction of its own', async () => {
      const wallets = [];
      for (let index = 0; index < 2; index++) {
        wallets.push((await acme.owner.call('/v1/wallets', { body: { currency: 'EUR' } })).body.id as string);
      }
      const [from, to] = wallets;
      const deposit = { body: { amount: 100 }, headers: { 'idempotency-key': newKey() } };
      for (let round = 0; round < 2; round++) {
        expect((await acme.owner.call(`/v1/wallets/${from}/deposits`, deposit)).status).toBe(201);
      }
      const elsewhere = await acme.owner.call(`/v1/wallets/${to}/deposits`, deposit);
      expect(elsewhere).toMatchObject({ status: 422, body: { code: 'idempotency_conflict' } });
      const transfer = { body: { from, to, amount: 60 }, headers: { 'idempotency-key': newKey() } };
      const answers = await Promise.all(Array.from({ length: 4 }, () => acme.owner.call('/v1/transfers', transfer)));
      expect(answers.filter((it) => it.status === 201 && !it.headers['idempotency-replayed'])).toHaveLength(1);
      const again = await acme.owner.call('/v1/transfers', transfer);
      expect(again).toMatchObject({ status: 201, headers: { 'idempotency-replayed': 'true' } });
      const balances = wallets.map(async (id) => (await acme.owner.call(`/v1/wallets/${id}`)).body.balance);
      expect(await Promise.all(balances)).toEqual([40, 60]);
      const poor = { body: { from, to, amount: 50 }, headers: { 'idempotency-key': newKey() } };
      for (let round = 0; round < 2; round++) {
        const refused = await acme.owner.call('/v1/transfers', poor);
        expect(refused).toMatchObject({ status: 409, body: { code: 'insufficient_funds' } });
      }
    });

    it('belongs to one caller: the same key of others is another one', async () => {
      const key = newKey();
      const member = { email: 'twin@acme.example', name: 'T', password: 'long enough', role: 'member' };
      await acme.owner.call('/v1/members', { body: member });
      const twin = withToken(test.app, await logIn(test.app, member.email, member.password));
      const [first, second, third] = [
        await create(key, book('mine')),
        await create(key, book('theirs'), globex.owner),
        await create(key, book('of-the-twin'), twin),
      ];
      expect([first.status, second.status, third.status]).toEqual([201, 201, 201]);
      expect(await find('theirs')).toEqual([]);
      expect(await find('theirs', globex.owner)).toHaveLength(1);
      const invitation = { email: 'i@acme.example', role: 'viewer' };
      const headers = { 'idempotency-key': key };
      expect((await acme.owner.call('/v1/invitations', { body: invitation, headers })).status).toBe(201);
    });

    it('waits for a request that runs, and takes over one that was left behind', async () => {
      const key = newKey();
      expect((await create(key, book('left'))).status).toBe(201);
      const [row] = await sql('select scope, claim from idempotency_record order by created_at desc, id desc limit 1');
      const leave = (claimedAt: Date) => {
        const at = engine.name === 'sqlite' ? claimedAt.getTime() : claimedAt;
        return sql('update idempotency_record set status = null, claimed_at = ? where scope = ?', [at, row.scope]);
      };
      await leave(new Date());
      const running = await create(key, book('left'));
      expect(running).toMatchObject({ status: 409, body: { code: 'conflict' } });
      expect(running.headers['retry-after']).toBe('1');
      await leave(new Date(Date.now() - 120_000));
      // It runs: the product of the first time is in its way.
      expect((await create(key, book('left'))).body.detail).toMatch(/unique/);
    });

    it('is forgotten after a day', async () => {
      const key = newKey();
      await create(key, book('yesterday'));
      const [row] = await sql('select scope from idempotency_record order by created_at desc, id desc limit 1');
      const before = new Date(Date.now() - 25 * 3_600_000);
      const at = engine.name === 'sqlite' ? before.getTime() : before;
      await sql('update idempotency_record set created_at = ? where scope = ?', [at, row.scope]);
      expect(await create(key, book('today'))).toMatchObject({ status: 201, body: { sku: 'today' } });
    });

    it('keeps no secret of its answer', async () => {
      const headers = { 'idempotency-key': newKey() };
      const body = { name: 'robot', permissions: ['catalogue:read'] };
      const first = await acme.owner.call('/v1/api-keys', { body, headers });
      const again = await acme.owner.call('/v1/api-keys', { body, headers });
      expect(first.body.key).toMatch(/^rhk_/);
      expect(again).toMatchObject({ status: 201, body: { ...first.body, key: null } });
      expect(again.headers['idempotency-replayed']).toBe('true');
      const rows = JSON.stringify(await sql('select body from idempotency_record'));
      expect(rows).toContain(first.body.id);
      expect(rows).not.toContain(first.body.key);
    });

    it('needs a key of a harmless form', async () => {
      for (const key of ['', 'two words', 'é', 'x'.repeat(256)]) {
        expect(await create(key, book('odd-key'))).toMatchObject({
          status: 400,
          body: { code: 'invalid_input', errors: [{ parameter: 'Idempotency-Key' }] },
        });
      }
      expect(await find('odd-key')).toEqual([]);
    });

    it('changes nothing for streams and for work of no tenant, which keep no answers', async () => {
      const headers = { 'idempotency-key': newKey() };
      const ndjson = { ...headers, 'content-type': 'application/x-ndjson' };
      for (const updated of [0, 0]) {
        const answer = await acme.owner.call('/v1/products/import', {
          body: `${JSON.stringify(book('streamed'))}\n`,
          headers: ndjson,
        });
        expect(answer).toMatchObject({ status: 200, body: { updated } });
        expect(answer.headers).not.toHaveProperty('idempotency-replayed');
      }
      const login = { body: { email: acme.email, password: acme.password }, headers };
      const anonymous = new ApiClient(test.app);
      const tokens = [await anonymous.call('/v1/auth/login', login), await anonymous.call('/v1/auth/login', login)];
      expect(new Set(tokens.map(({ body }) => body.refreshToken)).size).toBe(2);
    });
  });
});
