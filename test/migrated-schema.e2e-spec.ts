import { expect, it } from '@jest/globals';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { v7 as uuidv7 } from 'uuid';
import { centralModel, tenantModel } from '#apps/api';
import { makeMigration } from '#apps/cli';
import { compareTextByBytes, type MigrationSet, migrationsOf, TABLES_BEFORE } from '#database/migrations';
import { engines, ormOptions } from '#libs/persistence';
import { createTestDatabase, eachEngine, type TestEngine } from '#libs/testing';

/** As the application opens the databases of a set. */
const modelOf = (set: MigrationSet, engine: TestEngine) =>
  ({ central: centralModel, tenant: tenantModel })[set](engine);

/** Runs `fn` with a database of its own that knows the entities and migrations of `set`. */
async function withDatabase(
  engine: TestEngine,
  set: MigrationSet,
  fn: (orm: MikroORM<AbstractSqlDriver>) => Promise<void>,
): Promise<void> {
  const database = await createTestDatabase(engine);
  const orm = new MikroORM<AbstractSqlDriver>(ormOptions(database.url, { ...modelOf(set, engine), logger: () => {} }));
  try {
    await fn(orm);
  } finally {
    await orm.close(true);
    await database.drop();
  }
}

/** How MySQL and MariaDB keep each table, and each text in it; the migrator's own ledger aside. */
const KINDS_OF_TABLES = `
  select concat(t.engine, ' ', substring_index(t.table_collation, '_', 1), ' ', ifnull(c.character_set_name, 'utf8mb4')) as kind
  from information_schema.tables t
  join information_schema.columns c on c.table_schema = t.table_schema and c.table_name = t.table_name
  where t.table_schema = database() and t.table_name not like 'mikro%'`;

/** A row that differs from others in nothing but `text`, which is a key, or unique among the names of a tenant. */
async function insertText(em: SqlEntityManager, set: MigrationSet, text: string): Promise<void> {
  if (set === 'central') await em.execute("insert into slug_look (look, slug) values (?, 'x')", [text]);
  else {
    await em.execute('insert into tag (tenant_id, id, name, word_key, version, created_at) values (?, ?, ?, ?, 1, ?)', [
      uuidv7(),
      uuidv7(),
      text,
      uuidv7(),
      new Date(),
    ]);
  }
}

eachEngine((engine) => {
  const isMysql = engine.name === 'mariadb' || engine.name === 'mysql';

  it.each(['central', 'tenant'] as MigrationSet[])('%s migrations make what the entities say', async (set) => {
    const server = engine.name === 'sqlite' ? undefined : engine.serverUrl;
    expect(await makeMigration(engines[engine.name], server, modelOf(set, engine))).toBeUndefined();
  });

  it.each(['central', 'tenant'] as MigrationSet[])('%s migrations run in order, and back again', (set) =>
    withDatabase(engine, set, async ({ migrator }) => {
      const names = migrationsOf(set, engine.name).map((it) => it.name);
      expect((await migrator.up()).map((it) => it.name)).toEqual([...names].sort());
      for (const name of names.toReversed()) await migrator.down(name);
      expect(await migrator.getExecuted()).toEqual([]);
    }),
  );

  if (isMysql) {
    it.each(['central', 'tenant'] as MigrationSet[])('%s tables made before compare text by its bytes, too', (set) =>
      withDatabase(engine, set, async (orm) => {
        const migrations = migrationsOf(set, engine.name);
        const ask = <T>(sql: string) => (orm.em.fork() as SqlEntityManager).execute(sql) as Promise<T[]>;
        const collations = async () =>
          new Set(
            (
              await ask<{ it: string }>(
                'select table_collation as it from information_schema.tables ' +
                  "where table_schema = database() and table_name not like 'mikro%'",
              )
            ).map(({ it }) => it),
          );
        const keys = () =>
          ask(
            'select * from information_schema.referential_constraints where constraint_schema = database() order by 3',
          );
        const later = migrations.findIndex(({ name }) => name.endsWith('TextByBytes'));
        await orm.migrator.up({ to: migrations[later - 1]?.name });
        const made = await keys();
        // The same statements the other way round make the tables what they were.
        const back = (
          await compareTextByBytes(
            { execute: (sql: string) => ask(sql.replace('<>', '=')) } as never,
            TABLES_BEFORE[set],
          )
        ).map((sql) => sql.replace('utf8mb4_bin', 'utf8mb4_general_ci'));
        for (const sql of back) await ask(sql);
        expect([await collations(), await keys()]).toEqual([new Set(['utf8mb4_general_ci']), made]);
        await orm.migrator.up({ to: migrations[later]?.name });
        expect([await collations(), await keys()]).toEqual([new Set(['utf8mb4_bin']), made]);
        await orm.migrator.up();
        expect(await collations()).toEqual(new Set(['utf8mb4_bin']));
      }),
    );
  }

  it.each(['central', 'tenant'] as MigrationSet[])('%s tables hold every character, and tell any two apart', (set) =>
    withDatabase(engine, set, async (orm) => {
      await orm.migrator.up();
      const em = orm.em.fork() as SqlEntityManager;
      if (isMysql) {
        const kinds = await em.execute<{ kind: string }[]>(KINDS_OF_TABLES);
        expect(new Set(kinds.map(({ kind }) => kind))).toEqual(new Set(['InnoDB utf8mb4 utf8mb4']));
      }
      const texts = ['🦄', '🐉', '👩‍👩‍👧', '👨‍👩‍👧', '\u00e9', 'e\u0301', 'E', 'e', '𝒳'];
      const [table, column] = { central: ['slug_look', 'look'], tenant: ['tag', 'name'] }[set] as [string, string];
      for (const text of texts) await insertText(em, set, text);
      const rows = await em.execute<Record<string, string>[]>(`select ${column} from ${table}`);
      expect(rows.map((row) => row[column]).toSorted()).toEqual(texts.toSorted());
      for (const text of texts) {
        const found = await em.execute(`select ${column} from ${table} where ${column} = ?`, [text]);
        expect(found).toEqual([{ [column]: text }]);
      }
    }),
  );

  it('links the products that are there with a tag of each of their words, and loses no row', () =>
    withDatabase(engine, 'tenant', async (orm) => {
      await orm.migrator.up({ to: 'Migration20261125140000SealedTrail' });
      const em = orm.em.fork() as SqlEntityManager;
      const [tenant, one, two] = [uuidv7(), uuidv7(), uuidv7()];
      for (const [id, tags] of [
        [one, ["it's", 'a\\b', 'Tea']],
        [two, ['tea', 'TEA', '灯']],
      ] as const) {
        await em.execute(
          "insert into product (tenant_id, id, type, sku, name, price_amount, price_currency, stock, tags, created_at, updated_at) values (?, ?, 'book', ?, 'n', 1, 'EUR', 0, ?, ?, ?)",
          [tenant, id, id, JSON.stringify(tags), new Date(), new Date()],
        );
        await em.execute("insert into book (tenant_id, id, isbn) values (?, ?, 'i')", [tenant, id]);
      }
      await orm.migrator.up();
      const links = await em.execute<{ product_id: string; name: string }[]>(
        'select product_id, name from product_tag l join tag t on t.tenant_id = l.tenant_id and t.id = l.tag_id',
      );
      const linked = links.map(({ product_id, name }) => `${product_id === one ? 1 : 2} ${name}`).sort();
      expect(linked).toEqual(["1 it's", '1 a\\b', '1 Tea', '2 Tea', '2 灯'].sort());
      await orm.migrator.down('Migration20261125160000Catalogue');
      const [{ count }] = await em.execute('select count(*) as count from book b join product p on p.id = b.id');
      expect(Number(count)).toBe(2);
    }));
});
