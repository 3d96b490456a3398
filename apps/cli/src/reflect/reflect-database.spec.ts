import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type EntityClass, MikroORM, wrap } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { transformSync } from '@swc/core';
import { ormOptions } from '#libs/persistence';
import { createTestDatabase, eachEngine, type TestDatabase, type TestEngine } from '#libs/testing';
import { type ReflectedEntity, reflectDatabase } from './reflect-database.js';

/** A database as others have made it: plain keys, a key of two columns that foreign keys share, a link table. */
const tables = [
  'create table customer (id int not null primary key, email varchar(120) not null unique, boss_id int null, constraint customer_boss foreign key (boss_id) references customer (id))',
  'create table label (id int not null primary key, title varchar(40) not null)',
  'create table customer_label (customer_id int not null, label_id int not null, primary key (customer_id, label_id), constraint link_customer foreign key (customer_id) references customer (id) on delete cascade, constraint link_label foreign key (label_id) references label (id) on delete cascade)',
  'create table shelf (site int not null, code varchar(10) not null, primary key (site, code))',
  'create table box (site int not null, number int not null, shelf_code varchar(10) not null, weight decimal(10,3) null, primary key (site, number), constraint box_shelf foreign key (site, shelf_code) references shelf (site, code))',
  'create table mikro_orm_migrations (id int not null primary key)',
];
const rows = [
  "insert into customer values (1, 'ada@shop.example', null), (2, 'bo@shop.example', 1)",
  "insert into label values (7, 'early bird')",
  'insert into customer_label values (2, 7)',
  "insert into shelf values (3, 'A')",
  "insert into box values (3, 40, 'A', 1.250)",
];

/** Compiles what was generated like the build does, and loads it. */
async function load(entities: readonly ReflectedEntity[], folder: string): Promise<Record<string, EntityClass>> {
  const swc = JSON.parse(readFileSync('.swcrc', 'utf8'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  for (const { fileName, source } of entities) {
    const { code } = transformSync(source, { ...swc, swcrc: false, sourceMaps: false });
    writeFileSync(join(folder, fileName.replace(/ts$/, 'js')), code);
  }
  const modules = entities.map(
    ({ fileName }) => import(pathToFileURL(join(folder, fileName.replace(/ts$/, 'js'))).href),
  );
  return Object.assign({}, ...(await Promise.all(modules)));
}

async function fill({ url }: TestDatabase): Promise<void> {
  const orm = await MikroORM.init(ormOptions(url, { entities: [], discovery: { warnWhenNoEntities: false } }));
  for (const sql of [...tables, ...rows]) await (orm.em as SqlEntityManager).execute(sql);
  await orm.close(true);
}

describe('reflectDatabase', () => {
  eachEngine((engine: TestEngine) => {
    let database: TestDatabase;
    let entities: ReflectedEntity[];
    let classes: Record<string, EntityClass>;
    let orm: MikroORM;
    // Inside node_modules, from where the generated imports find MikroORM.
    const folder = mkdtempSync(join('node_modules', '.reflected-'));

    beforeAll(async () => {
      database = await createTestDatabase(engine);
      await fill(database);
      entities = await reflectDatabase(database.url);
      classes = await load(entities, folder);
      orm = await MikroORM.init(ormOptions(database.url, { entities: Object.values(classes) }));
    });
    afterAll(async () => {
      await orm?.close(true);
      await database?.drop();
      rmSync(folder, { recursive: true, force: true });
    });

    const find = (name: string, where: object, populate: string[] = []) =>
      orm.em.fork().findOneOrFail(classes[name] as EntityClass, where, { populate: populate as never[] });

    it('writes a file for each table, and none for link tables and ledgers', () => {
      expect(entities.map(({ fileName }) => fileName).sort()).toEqual([
        'box.entity.ts',
        'customer.entity.ts',
        'label.entity.ts',
        'shelf.entity.ts',
      ]);
    });

    it('reads rows through what it wrote: a reference to itself, links, lengths', async () => {
      const bo = await find('Customer', { id: 2 }, ['boss', '*']);
      expect(wrap(bo).toObject()).toMatchObject({ email: 'bo@shop.example', boss: { email: 'ada@shop.example' } });
      expect(JSON.stringify(wrap(bo).toObject())).toContain('early bird');
      const { properties } = orm.getMetadata().get('Customer' as never);
      expect(properties).toMatchObject({ email: { fieldNames: ['email'] } });
      if (engine.name !== 'sqlite') expect(properties).toMatchObject({ email: { length: 120 } });
    });

    it('keeps a key column that a foreign key shares', async () => {
      expect(orm.getMetadata().get('Box' as never).primaryKeys).toEqual(['site', 'number']);
      const box = await find('Box', { site: 3, number: 40 });
      expect(wrap(box).toPOJO()).toMatchObject({ site: 3, number: 40 });
      expect(Number((box as { weight: unknown }).weight)).toBe(1.25);
    });

    it('changes a row through what it wrote, in the columns they came from', async () => {
      const em = orm.em.fork();
      const label = await em.findOneOrFail(classes.Label as EntityClass, { id: 7 });
      Object.assign(label, { title: 'night owl' });
      await em.flush();
      expect(await (em as SqlEntityManager).execute('select title from label')).toEqual([{ title: 'night owl' }]);
    });

    it('reads only the tables that are named', async () => {
      const some = await reflectDatabase(database.url, { tables: ['label'] });
      expect(some.map(({ fileName }) => fileName)).toEqual(['label.entity.ts']);
    });
  });

  it('refuses a URL that no engine knows', async () => {
    await expect(reflectDatabase('oracle://host/shop')).rejects.toMatchObject({ code: 'unknown_engine' });
  });
});
