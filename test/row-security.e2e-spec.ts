import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MikroORM, RowLevelSecurityViolationException } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { DEMO_OPERATOR, tenantModel } from '#apps/api';
import { runAs, runInContext } from '#libs/context';
import { engines, ormOptions } from '#libs/persistence';
import { AcrossTenants, CrossTenantLedger, RowSecurity, tenantSettings } from '#libs/tenancy';
import { eachEngine } from '#libs/testing';
import { logIn, type SignedUpTenant, signUp, withToken } from './support/api-client.js';
import { createOwnedDatabase, type OwnedDatabase } from './support/owned-database.js';
import { startTestApp, type TestApp } from './support/test-app.js';

class NoLedger extends CrossTenantLedger {
  async record(): Promise<void> {}
}

const actor = { id: 'row-security', type: 'system' } as const;

// Row-level security is PostgreSQL's.
eachEngine(
  (engine) => {
    let database: OwnedDatabase;
    let test: TestApp;
    let acme: SignedUpTenant;
    let globex: SignedUpTenant;
    /** No guard at all, neither in front of the EntityManager nor of statements: what is left is the database's. */
    let bare: MikroORM<AbstractSqlDriver>;

    beforeAll(async () => {
      database = await createOwnedDatabase(engine);
      test = await startTestApp({
        SHARDS: `shard-1=${database.url}`,
        DATABASE_ROLE: database.role,
        OPERATOR_EMAIL: DEMO_OPERATOR.email,
        OPERATOR_PASSWORD: DEMO_OPERATOR.password,
      });
      acme = await signUp(test.app, 'acme');
      globex = await signUp(test.app, 'globex');
      for (const tenant of [acme, globex]) await fill(tenant);
      bare = await openBare(1);
    }, 60_000);

    afterAll(async () => {
      await bare?.close(true);
      await test?.close();
      await database?.drop();
    });

    const openBare = (max: number) =>
      MikroORM.init<AbstractSqlDriver>(
        ormOptions(
          database.url,
          { ...tenantModel(engine), ...engines.postgresql.carry?.(tenantSettings(database.role)) },
          { max },
        ),
      );

    /** A row in every table, each holding the slug. */
    async function fill({ owner, slug }: SignedUpTenant): Promise<void> {
      const price = { amount: 500, currency: 'EUR' };
      const make = async (url: string, body: unknown, headers = {}) => {
        const answer = await owner.call(url, { body, headers });
        expect([url, answer.status]).toEqual([url, expect.any(Number)]);
        expect(answer.status).toBeLessThan(300);
        return answer.body.id as string;
      };
      const book = { type: 'book', sku: `b-${slug}`, name: slug, price, stock: 9, isbn: '9783161484100' };
      const id = await make('/v1/products', book, { 'idempotency-key': slug });
      await make('/v1/products', { type: 'electronic', sku: `e-${slug}`, name: slug, price, warrantyMonths: 1 });
      await make('/v1/products', { type: 'digital', sku: `d-${slug}`, name: slug, price });
      const lines = ['one', 'two'].map((sku) => JSON.stringify({ ...book, sku: `${sku}-${slug}` })).join('\n');
      const imported = await owner.call('/v1/products/import', {
        method: 'POST',
        body: lines,
        headers: { 'content-type': 'application/x-ndjson' },
      });
      expect(imported.body).toMatchObject({ inserted: 2, rejected: [] });
      const [from, to] = [
        await make('/v1/wallets', { currency: 'EUR' }),
        await make('/v1/wallets', { currency: 'EUR' }),
      ];
      await make(`/v1/wallets/${from}/deposits`, { amount: 5000 });
      await make('/v1/transfers', { from, to, amount: 100 });
      const order = await make('/v1/orders', { lines: [{ productId: id, quantity: 1 }] });
      await make(`/v1/orders/${order}/pay`, { method: 'wallet', walletId: from });
    }

    const as = <T>({ id, slug }: SignedUpTenant, work: (em: SqlEntityManager) => Promise<T>, orm = bare): Promise<T> =>
      runAs({ tenant: { id, slug }, actor }, () => work(orm.em.fork() as SqlEntityManager));

    const tables = async () =>
      (
        await database.sql<{ name: string }>(
          "select relname as name from pg_class where relkind = 'r' and relrowsecurity and relnamespace = 'public'::regnamespace order by 1",
        )
      ).map(({ name }) => name);

    describe('row-level security', () => {
      it('lets the application do all its work, as a role that owns nothing', async () => {
        for (const { owner, slug } of [acme, globex]) {
          const { body } = await owner.call('/v1/products?filter[type]=book');
          expect(body.data.map((it: { sku: string }) => it.sku).sort()).toEqual([
            `b-${slug}`,
            `one-${slug}`,
            `two-${slug}`,
          ]);
          expect((await owner.call('/v1/audit?limit=100')).body.data.length).toBeGreaterThan(8);
          const [product] = body.data;
          const patched = await owner.call(`/v1/products/${product.id}`, { method: 'PATCH', body: { stock: 8 } });
          expect(patched.status).toBe(200);
          const remove = async (sku: string) => {
            const [{ id }] = body.data.filter((it: { sku: string }) => it.sku === `${sku}-${slug}`);
            return (await owner.call(`/v1/products/${id}`, { method: 'DELETE' })).status;
          };
          // Ordered, so the database keeps it, by a check that it makes as itself.
          expect([await remove('b'), await remove('one')]).toEqual([409, 204]);
        }
      });

      it('lets work across tenants read, and tells the tenants', async () => {
        const operator = withToken(test.app, await logIn(test.app, DEMO_OPERATOR.email, DEMO_OPERATOR.password));
        const { body } = await operator.call('/v1/platform/search/products?name=e&limit=50');
        expect(new Set(body.data.map((it: { tenant: { id: string } }) => it.tenant.id))).toEqual(
          new Set([acme.id, globex.id]),
        );
        const told = await globex.owner.call('/v1/audit?action=read_across_tenants');
        expect(told.body.data).toHaveLength(1);
      });

      it('shows a statement that nothing guards the rows of its own tenant, in every table', async () => {
        const seen: string[] = [];
        for (const table of await tables()) {
          const all = await database.sql<{ tenant_id: string }>(`select tenant_id from "${table}"`);
          const own = await as(acme, (em) => em.execute<{ tenant_id: string }[]>(`select tenant_id from "${table}"`));
          expect([table, own.length]).toEqual([table, all.filter((it) => it.tenant_id === acme.id).length]);
          for (const { tenant_id } of own) expect([table, tenant_id]).toEqual([table, acme.id]);
          if (new Set(all.map((it) => it.tenant_id)).size === 2) seen.push(table);
        }
        // Both tenants have rows in these, or nothing was shown.
        expect(seen).toEqual(
          expect.arrayContaining([
            'audit_entry',
            'book',
            'digital_product',
            'electronic',
            'idempotency_record',
            'order_line',
          ]),
        );
        expect(seen).toEqual(expect.arrayContaining(['payment', 'product', 'shop_order', 'transfer', 'wallet']));
      });

      it('lets no such statement change, delete, take over or add rows of another', async () => {
        const before = await database.sql('select * from wallet where tenant_id = ? order by id', [globex.id]);
        const change = 'update wallet set balance = 0 where tenant_id = ? returning id';
        expect(await as(acme, (em) => em.execute(change, [globex.id]))).toEqual([]);
        expect(await as(globex, (em) => em.execute('update wallet set version = version returning id'))).toHaveLength(
          2,
        );
        const away = (em: SqlEntityManager) => em.execute('update wallet set tenant_id = ?', [globex.id]);
        await expect(as(acme, away)).rejects.toThrow(RowLevelSecurityViolationException);
        const add = (em: SqlEntityManager) =>
          em.execute("insert into wallet values (?, gen_random_uuid(), 'EUR', 1, 1, now(), now())", [globex.id]);
        await expect(as(acme, add)).rejects.toThrow(RowLevelSecurityViolationException);
        await as(globex, add);
        await database.sql('delete from wallet where balance = 1');
        // What is only appended to cannot even be asked to change.
        await expect(as(acme, (em) => em.execute('delete from audit_entry'))).rejects.toThrow(/permission denied/);
        await expect(as(acme, (em) => em.execute('truncate wallet'))).rejects.toThrow(/permission denied/);
        await expect(as(acme, (em) => em.execute('drop table wallet'))).rejects.toThrow(/must be owner/);
        expect(await database.sql('select * from wallet where tenant_id = ? order by id', [globex.id])).toEqual(before);
      });

      it('answers work for no tenant with an error', async () => {
        const read = () => (bare.em.fork() as SqlEntityManager).execute('select * from product');
        await expect(runInContext({ actor }, read)).rejects.toThrow(/invalid input syntax for type uuid/);
        expect(await as(acme, (em) => em.execute('select * from product'))).not.toEqual([]);
      });

      it('lets work across tenants read everything, and write nothing', async () => {
        const across = new AcrossTenants(new NoLedger(), { mayCrossTenants: () => true });
        const sql = (statement: string) =>
          runInContext({ actor }, () =>
            across.run('a test', () =>
              (bare.em.fork() as SqlEntityManager).execute<{ tenant_id: string }[]>(statement),
            ),
          );
        const seen = await sql('select tenant_id from wallet');
        expect(new Set(seen.map((it) => it.tenant_id))).toEqual(new Set([acme.id, globex.id]));
        expect(await sql('update wallet set balance = 0 returning tenant_id')).toEqual([]);
        expect(await sql('delete from wallet returning tenant_id')).toEqual([]);
      });

      it('holds for tenants that take turns on one connection, in and out of transactions', async () => {
        const pid = async () =>
          (await as(acme, (em) => em.execute<{ pid: number }[]>('select pg_backend_pid() as pid')))[0]?.pid;
        const backend = await pid();
        const read = (em: SqlEntityManager) => em.execute<{ tenant_id: string }[]>('select tenant_id from product');
        const inTransaction = (em: SqlEntityManager) =>
          em.transactional(async (tx) => {
            await tx
              .transactional((inner) => read(inner).then(() => Promise.reject(new Error('undo'))))
              .catch(() => {});
            return read(tx);
          });
        await Promise.all(
          Array.from({ length: 60 }, async (_, index) => {
            const tenant = index % 2 ? acme : globex;
            const rows = await as(tenant, index % 3 ? inTransaction : read);
            expect(new Set(rows.map((it) => it.tenant_id))).toEqual(new Set([tenant.id]));
          }),
        );
        expect(await pid()).toBe(backend);
      });
    });

    describe('a start', () => {
      const security = () => new RowSecurity(database.role);
      const shard = () => ({ id: 'shard-1', orm: bare });

      it('finds nothing to say about a database that the migrations made', async () => {
        await security().assert(shard());
      });

      it('is refused over HTTP and all when a policy is gone', async () => {
        await database.sql('drop policy tenant_rows on wallet');
        await expect(startTestApp({ SHARDS: `shard-1=${database.url}`, DATABASE_ROLE: database.role })).rejects.toThrow(
          /Table "public"."wallet": policy "tenant_rows" is missing. Run: create policy/,
        );
        const [remedy] = await remediesOf(security().assert(shard()));
        await database.sql(String(remedy));
      });

      it.each([
        ['a policy that was changed', 'alter policy tenant_rows on product using (true)'],
        ['a check that was changed', 'alter policy tenant_rows on product with check (true)'],
        ['one more policy that lets rows through', 'create policy debug on book for select using (true)'],
        ['row-level security that is off', 'alter table payment disable row level security'],
        ['an owner that is not held to it', 'alter table order_line no force row level security'],
        ['a role that is a superuser', 'alter role $role superuser'],
        ['a role that may bypass policies', 'alter role $role bypassrls'],
        ['a role that owns a table', 'alter table book owner to $role'],
      ])('is refused for %s, and goes on once that is done which it says', async (_, breach) => {
        const [{ owner } = { owner: '' }] = await database.sql<{ owner: string }>(
          "select tableowner as owner from pg_tables where tablename = 'book'",
        );
        await database.sql(breach.replace('$role', database.role));
        const remedies = await remediesOf(security().assert(shard()));
        expect(remedies).toHaveLength(1);
        await database.sql(String(remedies[0]).replace('<another role>', owner));
        await security().assert(shard());
      });

      it('opens the schema to the role, also where only that is left to do', async () => {
        const mayUse = async () =>
          (
            await database.sql<{ may: boolean }>("select has_schema_privilege(?, 'tenant_own', 'usage') as may", [
              database.role,
            ])
          )[0]?.may;
        const [{ owner } = { owner: '' }] = await database.sql<{ owner: string }>(
          "select tableowner as owner from pg_tables where tablename = 'book'",
        );
        await database.sql(`create schema tenant_own authorization ${owner}`);
        await database.sql('create table tenant_own.wallet (like wallet)');
        await database.sql(`alter table tenant_own.wallet owner to ${owner}`);
        for (const before of ['select 1', `revoke usage on schema tenant_own from ${database.role}`]) {
          await database.sql(before);
          expect(await mayUse()).toBe(false);
          await security().prepare({ ...shard(), schema: 'tenant_own' });
          expect(await mayUse()).toBe(true);
        }
        await database.sql('drop schema tenant_own cascade');
      });

      it('makes the role, or says what to run when the owner may not', async () => {
        const [{ owner } = { owner: '' }] = await database.sql<{ owner: string }>(
          "select tableowner as owner from pg_tables where tablename = 'book'",
        );
        await database.sql(`alter role ${owner} nocreaterole`);
        const other = new RowSecurity(`${database.role}_2`);
        await expect(other.prepare(shard())).rejects.toThrow(/create role ".*_2" nologin; grant/);
        await database.sql(`alter role ${owner} createrole`);
        await other.prepare(shard());
        await other.assert(shard());
        await database.sql(`drop owned by ${database.role}_2`);
        await database.sql(`drop role ${database.role}_2`);
      });

      it('can be told not to look, outside production only', async () => {
        await database.sql('alter table payment disable row level security');
        const app = await startTestApp({ SHARDS: `shard-1=${database.url}`, ROW_SECURITY: 'unchecked' });
        await app.close();
        await database.sql('alter table payment enable row level security');
        await expect(startTestApp({ NODE_ENV: 'production', ROW_SECURITY: 'unchecked' })).rejects.toThrow(
          /ROW_SECURITY/,
        );
      });
    });
  },
  ['postgresql'],
);

/** The statements that a refused start says to run. */
async function remediesOf(refusal: Promise<void>): Promise<string[]> {
  const error = await refusal.then(
    () => new Error('It was not refused.'),
    (reason: Error) => reason,
  );
  return [...error.message.matchAll(/Run: (.*?)(?: \(in a migration.*)?$/gm)].map(([, sql]) => String(sql));
}
