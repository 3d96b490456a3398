import { describe, expect, it } from '@jest/globals';
import type { MetadataStorage } from '@mikro-orm/core';
import { MikroORM } from '@mikro-orm/sqlite';
import { type ContextTenant, NoContextError, NoTenantInContextError, runAs, runInContext } from '#libs/context';
import { ormOptions, runInSystemFrame } from '#libs/persistence';
import { aTenant, shopModel } from '#libs/testing';
import { StatementRefusedError } from './errors/statement-refused.error.js';
import { analysesOf } from './statement-analyses.js';
import { StatementGuard, type StatementGuardOptions } from './statement-guard.js';

const metadata: MetadataStorage = new MikroORM(
  ormOptions('sqlite::memory:', { entities: [...shopModel] }) as never,
).getMetadata();
const aGuard = (options?: StatementGuardOptions) =>
  new StatementGuard('sqlite', { getMetadata: () => metadata }, options);
const as = <T>(tenant: ContextTenant, fn: () => T) => runAs({ tenant, actor: { id: 'spec', type: 'system' } }, fn);
const BY_TENANT = 'select * from tag where tenant_id = ?';

describe('StatementGuard', () => {
  const [acme, globex] = [aTenant('acme'), aTenant('globex')];

  it('knows one text with any values', async () => {
    const guard = aGuard();
    await as(acme, () => guard.admit(BY_TENANT, [acme.id]));
    await as(globex, () => guard.admit(BY_TENANT, [globex.id]));
    await as(globex, () => expect(() => guard.admit(BY_TENANT, [acme.id])).toThrow(StatementRefusedError));
  });

  it('says what is missing, and none of the data', async () => {
    const error = await as(acme, () => aGuard().admit("select * from tag as t where name = 'secret'", [])).catch(
      (thrown: Error) => thrown,
    );
    expect(error).toMatchObject({
      code: 'statement_refused',
      message:
        'This statement is refused: nothing binds "tag" (as "t") to one tenant. Add "t.tenant_id = <the tenant\'s id>" to its condition.',
    });
  });

  it('needs a context and a tenant for data, and for nothing else', async () => {
    const guard = aGuard();
    expect(() => guard.admit(BY_TENANT, [acme.id])).toThrow(NoContextError);
    await runInContext({}, () => {
      expect(() => guard.admit(BY_TENANT, [acme.id])).toThrow(NoTenantInContextError);
      guard.admit('select 1', []);
      guard.admit('begin', []);
      guard.admit('rollback', []);
    });
  });

  it('lets everything through in a system frame, and only there', async () => {
    const guard = aGuard();
    const ddl = 'drop table tag';
    expect(await runInSystemFrame('spec', async () => guard.admit(ddl, []))).toBeUndefined();
    await as(acme, () => expect(() => guard.admit(ddl, [])).toThrow(StatementRefusedError));
  });

  it('lets a statement of MikroORM through once, as it was formatted, for the tenant it was looked at for', async () => {
    const guard = aGuard();
    // Nothing that could be let through by itself, so that only the look before can have let it through.
    const formatted = `select '${acme.id}' from a table nobody knows`;
    await as(acme, () => {
      guard.prepare(BY_TENANT, [acme.id], formatted);
      guard.admit(formatted, []);
      expect(() => guard.admit(formatted, [])).toThrow(StatementRefusedError);
      guard.prepare(BY_TENANT, [acme.id], formatted);
    });
    await as(globex, () => expect(() => guard.admit(formatted, [])).toThrow(StatementRefusedError));
  });

  it.each([
    ['a list', ['a', 'b']],
    ['a function', () => 'a'],
    [
      'an object that writes itself as SQL',
      new (class {
        toSqlString() {
          return '1';
        }
      })(),
    ],
    ['nothing', undefined],
  ])('leaves a statement with %s among its values until they are written', async (_, value) => {
    await as(acme, () => {
      const guard = aGuard();
      const formatted = 'select * from tag';
      guard.prepare('select * from tag where tenant_id = ? and name = ?', [acme.id, value], formatted);
      expect(() => guard.admit(formatted, [])).toThrow(StatementRefusedError);
    });
  });

  it('forgets statements that were prepared and never sent', async () => {
    await as(acme, () => {
      const guard = aGuard();
      for (let i = 0; i < 300; i++) guard.prepare(BY_TENANT, [acme.id], `unknown ${i}`);
      expect(() => guard.admit('unknown 0', [])).toThrow(StatementRefusedError);
      guard.admit('unknown 299', []);
    });
  });

  it('keeps a database of one tenant to that tenant', async () => {
    const guard = aGuard({ tenantId: acme.id });
    await as(acme, () => guard.admit(BY_TENANT, [acme.id]));
    await as(globex, () =>
      expect(() => guard.admit(BY_TENANT, [globex.id])).toThrow(/does not hold the tenant's rows/),
    );
  });

  it('keeps a tenant whose rows lie elsewhere away from a database of several', async () => {
    const guard = aGuard({ holds: (tenant) => tenant.slug === 'acme' });
    await as(acme, () => guard.admit(BY_TENANT, [acme.id]));
    await as(globex, () =>
      expect(() => guard.admit(BY_TENANT, [globex.id])).toThrow(/does not hold the tenant's rows/),
    );
  });

  it('takes the schema of the tenant, and no other one', async () => {
    const guard = aGuard({ schemaOf: (tenant) => (tenant.id === acme.id ? 'tenant_acme' : undefined) });
    const statement = 'select * from tenant_acme.tag as t where t.tenant_id = ?';
    await as(acme, () => {
      guard.admit(statement, [acme.id]);
      expect(() => guard.admit(BY_TENANT, [acme.id])).toThrow(/"tag" has no schema in front: write tenant_acme.tag/);
      expect(() => guard.admit(statement.replace('acme', 'globex'), [acme.id])).toThrow(/"tenant_globex" is not where/);
    });
    await as(globex, () => expect(() => guard.admit(statement, [globex.id])).toThrow(/"tenant_acme" is not where/));
    await as(acme, () => expect(() => aGuard().admit(statement, [acme.id])).toThrow(/"tenant_acme" is not where/));
  });

  it('takes functions that the application vouches for', async () => {
    await as(acme, () => {
      expect(() => aGuard().admit('select distance(1, 2)', [])).toThrow(/calls "distance\(\)"/);
      aGuard({ functions: ['distance'] }).admit('select distance(1, 2)', []);
    });
  });

  it('looks at every row of a bulk insert, however long it is', async () => {
    const guard = aGuard();
    const insertOf = (rows: number) =>
      `insert into tag (tenant_id, id, name) values ${Array.from({ length: rows }, () => '(?, ?, ?)').join(', ')}`;
    const values = (rows: number, last: string) =>
      Array.from({ length: rows }, (_, row) => [row === rows - 1 ? last : acme.id, `${row}`, 'x']).flat();
    await as(acme, () => {
      for (const rows of [1, 100, 1000, 20_000]) {
        guard.admit(insertOf(rows), values(rows, acme.id));
        expect(() => guard.admit(insertOf(rows), values(rows, globex.id))).toThrow(/would belong to another tenant/);
      }
    });
  });

  it('shares what it has read with every database of the same entities', () => {
    expect(analysesOf(metadata, 'sqlite', ['a', 'b'])).toBe(analysesOf(metadata, 'sqlite', ['b', 'a']));
    expect(analysesOf(metadata, 'sqlite')).not.toBe(analysesOf(metadata, 'postgresql'));
    expect(analysesOf(metadata, 'sqlite')).not.toBe(analysesOf(metadata, 'sqlite', ['a']));
  });
});
