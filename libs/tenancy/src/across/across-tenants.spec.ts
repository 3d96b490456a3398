import { beforeEach, describe, expect, it } from '@jest/globals';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { sql } from 'kysely';
import { type ContextTenant, NoTenantInContextError, runAs, runInContext } from '#libs/context';
import { engines, runInSystemFrame } from '#libs/persistence';
import { aDatabase, aTenant, Category, eachEngine, shopModel } from '#libs/testing';
import { AcrossTenantsDeniedError } from '../errors/across-tenants-denied.error.js';
import { AcrossTenantsEndedError } from '../errors/across-tenants-ended.error.js';
import { AcrossTenantsUnboundError } from '../errors/across-tenants-unbound.error.js';
import { OperationRefusedError } from '../guard/errors/operation-refused.error.js';
import { StatementRefusedError } from '../guard/errors/statement-refused.error.js';
import { GuardedEntityManager } from '../guard/guarded.entity-manager.js';
import { guardedDriver } from '../guard/guarded-driver.js';
import { AcrossTenants } from './across-tenants.js';
import { acrossTenants } from './across-tenants-function.js';
import { CrossTenantLedger, type CrossTenantUse } from './cross-tenant-ledger.js';

const actor = { id: 'olli', type: 'operator' } as const;
const reason = 'a recall';
const asOperator = <T>(fn: () => Promise<T>) => runAs({ actor }, fn);

class Ledger extends CrossTenantLedger {
  readonly uses: CrossTenantUse[] = [];
  failure: Error | undefined;

  async record(use: CrossTenantUse): Promise<void> {
    if (this.failure) throw this.failure;
    this.uses.push(use);
  }
}

describe('AcrossTenants', () => {
  eachEngine((engine) => {
    const database = aDatabase(engine, shopModel, {
      entityManager: GuardedEntityManager,
      driver: guardedDriver(engines[engine.name]),
    });
    let ledger: Ledger;
    let across: AcrossTenants;
    let acme: ContextTenant;
    let globex: ContextTenant;

    const keep = (tenant: ContextTenant, names: readonly string[]) =>
      runAs({ tenant, actor }, async () => {
        const em = database.fork();
        for (const name of names) em.create(Category, { name });
        await em.flush();
      });
    const read = (em: SqlEntityManager) =>
      em.createQueryBuilder(Category).select(['tenantId', 'name']).orderBy({ name: 'asc' }).execute('all');

    beforeEach(async () => {
      await runInSystemFrame('empty', () => database.fork().execute('delete from category'));
      ledger = new Ledger();
      across = new AcrossTenants(ledger, {});
      acme = aTenant('acme');
      globex = aTenant('globex');
      await keep(acme, ['a', 'c']);
      await keep(globex, ['b']);
    });

    it('reads rows of all tenants, and tells how many of each, why and who, once', async () => {
      const rows = await asOperator(() => across.run(reason, () => read(database.fork())));
      expect(rows.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
      const counts = new Map([
        [acme.id, 2],
        [globex.id, 1],
      ]);
      expect(ledger.uses).toEqual([{ reason, actor, rows: counts }]);
    });

    it('reads by the query builder, by Kysely and by SQL', async () => {
      const text = 'select tenant_id, name from category order by name';
      await asOperator(() =>
        across.run(reason, async () => {
          const em = database.fork();
          expect(await read(em)).toHaveLength(3);
          expect(await em.execute(text)).toHaveLength(3);
          expect((await sql.raw(text).execute(em.getKysely())).rows).toHaveLength(3);
        }),
      );
      expect(ledger.uses[0]?.rows.get(acme.id)).toBe(6);
    });

    it('tells of a use that has found nothing, too', async () => {
      const probe = "select tenant_id from category where name = 'nowhere'";
      await asOperator(() => across.run(reason, () => database.fork().execute(probe)));
      expect(ledger.uses).toEqual([{ reason, actor, rows: new Map() }]);
    });

    it('tells also when the work fails, and fails when it cannot tell', async () => {
      const work = async () => {
        await read(database.fork());
        throw new Error('half way');
      };
      await expect(asOperator(() => across.run(reason, work))).rejects.toThrow('half way');
      expect(ledger.uses).toHaveLength(1);
      ledger.failure = new Error('no trail');
      await expect(asOperator(() => across.run(reason, () => read(database.fork())))).rejects.toThrow('no trail');
    });

    it.each([
      ['rows that do not say whose they are', 'select name from category'],
      ['a count over tenants', 'select count(*) as n from category'],
      ['a sub-query', 'select tenant_id from category where exists (select 1 from tag)'],
      ['a union', 'select tenant_id from category union all select tenant_id from tag'],
      ['an update', "update category set name = 'x'"],
      ['a delete', 'delete from category'],
      ['a lock', 'select tenant_id from category for update'],
      ['a tenant that is made up', "select 'x' as tenant_id, name from category"],
      ['one tenant for the rows of many', 'select min(tenant_id) as tenant_id, count(*) as n from category'],
      ['a count that names one of them', 'select tenant_id, count(*) as n from category'],
      ['a count by something else', 'select tenant_id, count(*) as n from category group by name'],
      ['a look at other rows', 'select tenant_id, count(*) over () as n from category'],
      ["one tenant's id beside rows of another", 'select a.tenant_id, b.name from category a, category b'],
      [
        'rows of one chosen by those of another',
        'select a.tenant_id from category a join category b on b.name > a.name',
      ],
    ])('refuses %s', async (_, text) => {
      const refused = asOperator(() => across.run(reason, () => database.fork().execute(text)));
      await expect(refused).rejects.toThrow(
        engine.name === 'sqlite' && text.includes('for update') ? Error : OperationRefusedError,
      );
      expect(ledger.uses).toEqual([{ reason, actor, rows: new Map() }]);
      const names = await runInSystemFrame('look', () => database.fork().execute('select name from category'));
      expect(names).toHaveLength(3);
    });

    it('still refuses what the guard cannot read, and tables it does not know', async () => {
      for (const text of ['select tenant_id, pg_sleep(1) from category', 'select tenant_id from nowhere']) {
        const refused = asOperator(() => across.run(reason, () => database.fork().execute(text)));
        await expect(refused).rejects.toThrow(StatementRefusedError);
      }
    });

    it('manages no entities: they are of many tenants', async () => {
      const found = asOperator(() => across.run(reason, () => database.fork().find(Category, {})));
      await expect(found).rejects.toThrow(NoTenantInContextError);
      const mapped = asOperator(() =>
        across.run(reason, () => database.fork().createQueryBuilder(Category).select('*').getResult()),
      );
      await expect(mapped).rejects.toThrow();
    });

    it('ends with the function: what it left behind, and what was made in it, stays outside', async () => {
      let query: { execute(method: 'all'): Promise<unknown> } | undefined;
      let late: Promise<unknown> | undefined;
      await asOperator(() =>
        across.run(reason, async () => {
          query = database.fork().createQueryBuilder(Category).select(['tenantId', 'name']);
          late = new Promise((resolve) => setTimeout(resolve, 30)).then(() => read(database.fork()));
          late.catch(() => undefined);
        }),
      );
      await expect(late).rejects.toThrow(AcrossTenantsEndedError);
      await expect(asOperator(async () => query?.execute('all'))).rejects.toThrow(StatementRefusedError);
      await expect(asOperator(() => read(database.fork()))).rejects.toThrow(NoTenantInContextError);
    });

    it('ends when its time is up', async () => {
      const work = async () => {
        await read(database.fork());
        await new Promise((resolve) => setTimeout(resolve, 60));
        await read(database.fork());
      };
      const run = asOperator(() => across.run(reason, work, { timeLimitMs: 50 }));
      await expect(run).rejects.toThrow(AcrossTenantsEndedError);
    });

    it('leaves no statement behind that another tenant could send', async () => {
      await asOperator(() => across.run(reason, () => read(database.fork())));
      await runAs({ tenant: globex, actor }, async () => {
        const em = database.fork();
        await expect(read(em)).rejects.toThrow(StatementRefusedError);
        expect(await em.find(Category, {})).toHaveLength(1);
      });
    });

    it('is for operators and the system, and for whom else the application says', async () => {
      const read = () => across.run(reason, async () => 'read');
      for (const type of ['user', 'api_key', 'job'] as const) {
        await expect(runAs({ actor: { id: 'x', type } }, read)).rejects.toThrow(AcrossTenantsDeniedError);
      }
      expect(await runAs({ actor: { id: 'x', type: 'system' } }, read)).toBe('read');
      const withJobs = new AcrossTenants(ledger, { mayCrossTenants: ({ type }) => type === 'job' });
      const nightly = () => withJobs.run(reason, async () => 'read');
      expect(await runAs({ actor: { id: 'nightly', type: 'job' } }, nightly)).toBe('read');
      await expect(asOperator(nightly)).rejects.toThrow(AcrossTenantsDeniedError);
    });

    it('is a function too, while one application runs', async () => {
      const read = () => asOperator(() => acrossTenants(reason, async () => 'read'));
      await expect(read()).rejects.toThrow(AcrossTenantsUnboundError);
      across.onModuleInit();
      expect(await read()).toBe('read');
      const other = new AcrossTenants(ledger, {});
      other.onModuleInit();
      await expect(read()).rejects.toThrow(/there are 2/);
      for (const each of [across, other]) each.onApplicationShutdown();
      await expect(read()).rejects.toThrow(/there are 0/);
    });

    it('needs a reason, somebody, and a context for no tenant; and does not nest', async () => {
      const run = () => across.run(reason, async () => 1);
      await expect(asOperator(() => across.run(' ', async () => 1))).rejects.toThrow(/Give a reason/);
      await expect(runInContext({}, run)).rejects.toThrow(/nobody could be told who/);
      await expect(runAs({ tenant: acme, actor }, run)).rejects.toThrow(/the context is for one tenant/);
      await expect(asOperator(() => across.run(reason, run))).rejects.toThrow(/inside another use/);
    });
  });
});
