import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { runInSystemFrame } from '#libs/persistence';
import { IsolationStrategies, type IsolationStrategyName, type Placement, TenantDatabases } from '#libs/tenancy';
import { eachEngine } from '#libs/testing';
import { createOwnedDatabase, type OwnedDatabase } from './support/owned-database.js';
import { startTestApp, type TestApp } from './support/test-app.js';

/** Everything that migrations leave in a schema, one line each, without its name. */
const CATALOGUE = `
  with here as (select oid from pg_namespace where nspname = '$')
  select concat_ws(' ', 'column', c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
      pg_get_expr(d.adbin, d.adrelid)) as line
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relnamespace in (select oid from here) and c.relkind in ('r', 'v', 'S')
  union all select concat_ws(' ', 'table', relname, relkind, relowner::regrole, relrowsecurity, relforcerowsecurity, relacl)
    from pg_class where relnamespace in (select oid from here)
  union all select concat_ws(' ', 'index', indexdef) from pg_indexes where schemaname = '$'
  union all select concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
    from pg_constraint where connamespace in (select oid from here)
  union all select concat_ws(' ', 'policy', tablename, policyname, permissive, roles::text, cmd, qual, with_check)
    from pg_policies where schemaname = '$'
  union all select concat_ws(' ', 'schema', nspowner::regrole, nspacl) from pg_namespace where nspname = '$'
  union all select concat_ws(' ', 'ran', id, name) from $.mikro_orm_migrations
  order by line`;

// Where DDL is no part of a transaction there is nothing to make in one go.
eachEngine(
  (engine) => {
    let database: OwnedDatabase;
    let test: TestApp;

    beforeAll(async () => {
      database = await createOwnedDatabase(engine);
      test = await startTestApp({ SHARDS: `shard-1=${database.url}`, DATABASE_ROLE: database.role });
    });

    afterAll(async () => {
      await test.close();
      await database.drop();
    });

    const strategyOf = (name: IsolationStrategyName) => test.app.get(IsolationStrategies).get(name, 'shard-1');

    async function provision(strategy: IsolationStrategyName): Promise<Placement> {
      const tenantId = uuidv7();
      const names = strategyOf(strategy).nameFor(tenantId);
      const placement: Placement = { tenantId, strategy, shardId: 'shard-1', ...names, epoch: 1, state: 'active' };
      await strategyOf(strategy).provision(placement);
      return placement;
    }

    async function send<T>(sql: string): Promise<T[]> {
      const connection = test.app.get(TenantDatabases).shared('shard-1').driver.getConnection();
      return runInSystemFrame('spec', () => connection.execute<T[]>(sql));
    }

    async function catalogueOf({ schemaName = '' }: Placement): Promise<string[]> {
      const lines = await send<{ line: string }>(CATALOGUE.replaceAll('$', schemaName));
      return lines.map(({ line }) => line.replaceAll(schemaName, 'place'));
    }

    it.each(['schema', 'search-path'] as const)(
      'of a new tenant of strategy %s is what migrations make, made in one go',
      async (name) => {
        const migrated = await provision(name);
        const open = jest.spyOn(test.app.get(TenantDatabases), 'open');
        const made = await provision(name);
        expect(open).not.toHaveBeenCalledWith('shard-1', expect.objectContaining({ insideSchema: expect.anything() }));
        open.mockRestore();
        const catalogue = await catalogueOf(made);
        expect(catalogue.filter((line) => /^(?:policy|ran) /.test(line)).length).toBeGreaterThan(10);
        expect(catalogue).toEqual(await catalogueOf(migrated));
      },
    );

    it('of a new tenant is up to date for later migrations, which run as anywhere', async () => {
      const placement = await provision('schema');
      expect(await strategyOf('schema').migrate(placement)).toEqual([]);
      const [{ name }] = (await send<{ name: string }>(
        `delete from ${placement.schemaName}.mikro_orm_migrations where name like '%IdempotencyRecords' returning name`,
      )) as [{ name: string }];
      await send(`drop table ${placement.schemaName}.idempotency_record`);
      expect(await strategyOf('schema').migrate(placement)).toEqual([name]);
    });

    it('of a tenant keeps what is there when it is made again', async () => {
      const placement = await provision('schema');
      await send(`create table ${placement.schemaName}.keepsake (id int)`);
      await strategyOf('schema').provision(placement);
      expect(await catalogueOf(placement)).toContain('column keepsake 1 id integer f');
    });

    it('of a tenant is not there at all when it cannot be made whole', async () => {
      const other = uuidv7();
      const { schemaName } = strategyOf('schema').nameFor(other);
      const { places } = test.app.get(TenantDatabases).engine('shard-1');
      const made = places.schemas?.createFilled?.(
        schemaName ?? '',
        ['create table one (id int)', 'create tabel two'],
        send,
      );
      await expect(made).rejects.toThrow(/syntax/);
      expect(await send(`select 1 from pg_namespace where nspname = '${schemaName}'`)).toEqual([]);
      expect(await send('show search_path')).toEqual([{ search_path: '"$user", public' }]);
    });
  },
  ['postgresql'],
);
