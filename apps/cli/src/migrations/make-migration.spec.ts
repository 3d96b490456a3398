import { expect, it } from '@jest/globals';
import type { EntityClass, MigrationObject } from '@mikro-orm/core';
import { Entity, Index, ManyToOne, PrimaryKey, Property, Unique } from '@mikro-orm/decorators/legacy';
import { Migrator } from '@mikro-orm/migrations';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { engines } from '#libs/persistence';
import { eachEngine } from '#libs/testing';
import { makeMigration } from './make-migration.js';
import { asMigration, type MigratedModel, proveMigration } from './prove-migration.js';
import { readSchema } from './schema-difference.js';
import { withOrm, withScratchDatabase } from './scratch-database.js';

const KEY = { type: 'string', length: 36 } as const;
const REFERENCE = { joinColumns: ['tenant_id', 'author_id'], referencedColumnNames: ['tenant_id', 'id'] };
const RULES = { updateRule: 'restrict' as const, ownColumns: ['author_id'] };

/** What authors and their books are before … */
function modelBefore({ hasAge = false } = {}): EntityClass[] {
  @Entity({ tableName: 'author' })
  class Author {
    @PrimaryKey(KEY) tenantId!: string;
    @PrimaryKey(KEY) id!: string;
    @Property({ type: 'string', length: 50, nullable: true }) name!: string | null;
    @Property({ type: 'integer', nullable: !hasAge }) age!: number | null;
  }
  @Entity({ tableName: 'writing' })
  class Writing {
    @PrimaryKey(KEY) tenantId!: string;
    @PrimaryKey(KEY) id!: string;
    @ManyToOne(() => Author, { ...REFERENCE, ...RULES, deleteRule: 'cascade' }) author!: Author;
  }
  return [Author, Writing];
}

/** … and after: with a column more and one less, another length, a reference, a rule, and a table. */
function modelAfter(): EntityClass[] {
  @Entity({ tableName: 'house' })
  class House {
    @PrimaryKey(KEY) tenantId!: string;
    @PrimaryKey(KEY) id!: string;
    @Property({ type: 'json', nullable: true }) address!: unknown;
  }
  @Entity({ tableName: 'author' })
  @Unique({ properties: ['tenantId', 'name'] })
  @Index({ properties: ['tenantId', 'house'] })
  class Author {
    @PrimaryKey(KEY) tenantId!: string;
    @PrimaryKey(KEY) id!: string;
    @Property({ type: 'string', length: 80, nullable: true }) name!: string | null;
    @Property({ type: 'boolean', default: false }) isKnown!: boolean;
    @ManyToOne(() => House, {
      joinColumns: ['tenant_id', 'house_id'],
      referencedColumnNames: ['tenant_id', 'id'],
      ...{ ownColumns: ['house_id'], nullable: true, updateRule: 'restrict', deleteRule: 'restrict', index: false },
    })
    house!: House | null;
  }
  @Entity({ tableName: 'writing' })
  class Writing {
    @PrimaryKey(KEY) tenantId!: string;
    @PrimaryKey(KEY) id!: string;
    @ManyToOne(() => Author, { ...REFERENCE, ...RULES, deleteRule: 'restrict' }) author!: Author;
    @ManyToOne(() => Writing, {
      joinColumns: ['tenant_id', 'sequel_of_id'],
      referencedColumnNames: ['tenant_id', 'id'],
      ...{ ownColumns: ['sequel_of_id'], nullable: true, updateRule: 'restrict', deleteRule: 'restrict' },
    })
    sequelOf!: Writing | null;
  }
  return [House, Author, Writing];
}

function modelOf(entities: EntityClass[], ...migrationsList: MigrationObject[]): MigratedModel {
  return { entities, extensions: [Migrator], migrations: { snapshot: false, migrationsList } };
}

eachEngine((engine) => {
  const product = engines[engine.name];
  const server = engine.name === 'sqlite' ? undefined : engine.serverUrl;

  /** The migration that is missing. */
  async function make(model: MigratedModel, name: string) {
    const made = await makeMigration(product, server, model);
    if (!made) throw new Error('nothing was made');
    return { ...made, migration: asMigration(made, name) };
  }

  it('makes the first migration from the entities alone, and then has nothing to do', async () => {
    const first = await make(modelOf(modelBefore()), 'Migration1');
    expect(first.up.filter((sql) => sql.startsWith('create table'))).toHaveLength(2);
    expect(await makeMigration(product, server, modelOf(modelBefore(), first.migration))).toBeUndefined();
  });

  it('makes what has come since, and takes it back, with every row that was there', async () => {
    const first = await make(modelOf(modelBefore()), 'Migration1');
    const then = modelOf(modelAfter(), first.migration);
    const { migration: second } = await make(then, 'Migration2');
    const all = modelOf(modelAfter(), first.migration, second);
    expect(await makeMigration(product, server, all)).toBeUndefined();

    await withScratchDatabase(product, server, (url) =>
      withOrm(url, all, async ({ em, migrator }) => {
        const ask = (sql: string) => (em.fork() as SqlEntityManager).execute<Record<string, unknown>[]>(sql);
        await migrator.up({ to: 'Migration1' });
        await ask("insert into author (tenant_id, id, name, age) values ('t', 'a', 'Ann', 41), ('t', 'b', null, null)");
        await ask(
          "insert into writing (tenant_id, id, author_id) values ('t', '1', 'a'), ('t', '2', 'a'), ('t', '3', 'b')",
        );
        const books = () => ask('select id, author_id from writing order by id');
        const before = await books();

        await migrator.up();
        expect(await books()).toEqual(before);
        const authors = await ask('select id, name, is_known, house_id from author order by id');
        expect(authors.map(({ id, name, is_known, house_id }) => [id, name, Boolean(is_known), house_id])).toEqual([
          ['a', 'Ann', false, null],
          ['b', null, false, null],
        ]);
        await ask("update writing set sequel_of_id = '1' where id = '2'");
        await expect(ask("delete from author where id = 'a'")).rejects.toThrow();

        await migrator.down();
        expect(await books()).toEqual(before);
        expect(await ask('select id, name, age from author order by id')).toEqual([
          { id: 'a', name: 'Ann', age: null },
          { id: 'b', name: null, age: null },
        ]);
      }),
    );
  });

  it('says what a person must think about before rows meet it', async () => {
    const first = await make(modelOf(modelBefore({ hasAge: true })), 'Migration1');
    const there = await make(modelOf(modelAfter(), first.migration), 'Migration2');
    expect(there.cautions).toEqual(['author.age is dropped with its values']);
    const back = await make(modelOf(modelBefore({ hasAge: true }), first.migration, there.migration), 'Migration3');
    expect(back.cautions.toSorted()).toEqual([
      'author.age must not be null: say what it is in rows that exist',
      'author.house_id is dropped with its values',
      'author.is_known is dropped with its values',
      'house is dropped with its rows',
      'writing.sequel_of_id is dropped with its values',
    ]);
    const strict = await make(
      modelOf(modelBefore({ hasAge: true }), (await make(modelOf(modelBefore()), 'Migration1')).migration),
      'Migration2',
    );
    expect(strict.cautions).toEqual(['author.age must not be null any more: say what it becomes where it is']);
  });

  it.each(['up', 'down'] as const)('hands out no migration whose way %s does something else', async (direction) => {
    const model = modelOf(modelBefore());
    const made = await make(model, 'Migration1');
    const wrong = { ...made, [direction]: made[direction].slice(0, -1) };
    await withScratchDatabase(product, server, async (createdUrl) => {
      const wanted = await withOrm(createdUrl, model, async (orm) => {
        await orm.schema.create();
        return readSchema(orm);
      });
      const prove = (statements: typeof made) =>
        withScratchDatabase(product, server, (url) => proveMigration(engine.name, url, model, statements, wanted));
      await expect(prove(wrong)).rejects.toMatchObject({ code: 'migration_unproven', engine: engine.name, direction });
      await prove(made);
    });
  });
});
