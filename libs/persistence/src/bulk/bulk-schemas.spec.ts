import { describe, expect, it } from '@jest/globals';
import { raw } from '@mikro-orm/core';
import { Entity, Property } from '@mikro-orm/decorators/legacy';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { aDatabase, aTenant, eachEngine } from '#libs/testing';
import { TenantOwned } from '../entities/tenant-owned.js';
import { as } from './bulk.fixture.js';
import { bulkDelete } from './bulk-delete.js';
import { bulkInsert } from './bulk-insert.js';
import { bulkUpdate } from './bulk-update.js';
import { bulkUpsert } from './bulk-upsert.js';

@Entity({ tableName: 'thing', schema: '*', inheritance: 'tpt' })
class Thing extends TenantOwned {
  @Property({ type: 'string', length: 20 })
  name!: string;
}

@Entity({ tableName: 'big_thing', schema: '*' })
class BigThing extends Thing {
  @Property({ type: 'integer' })
  size!: number;
}

/** SQLite has no schemas worth the name. */
describe('bulk writes in a schema', () => {
  eachEngine(
    (engine) => {
      const database = aDatabase(engine, [Thing, BigThing]);

      it('reach the tables of the EntityManager’s schema, and no others', async () => {
        const schemas = ['one', 'two'].map((name) => `${database.orm.config.get('dbName')}_${name}`.slice(-40));
        const tenant = aTenant();
        const forks = schemas.map((schema) => database.orm.em.fork({ schema }) as SqlEntityManager);
        for (const schema of schemas) await database.orm.schema.create({ schema });
        try {
          await as(tenant, async () => {
            const [one, two] = forks as [SqlEntityManager, SqlEntityManager];
            const rows = [1, 2, 3].map((size) => ({
              id: `01890000-0000-7000-8000-00000000000${size}`,
              name: 'x',
              size,
            }));
            for (const em of [one, two]) expect(await bulkInsert(em, BigThing, rows)).toMatchObject({ inserted: 3 });
            const changed = rows.map((row) => ({ ...row, name: 'y', size: row.size * 2 }));
            expect(await bulkUpsert(one, BigThing, changed, { by: ['id'] })).toMatchObject({ updated: 3 });
            expect(
              await bulkUpdate(one, Thing, { where: { name: 'y' }, set: { name: raw("concat(name, '!')") } }),
            ).toMatchObject({
              updated: 3,
            });
            expect(await bulkDelete(one, Thing, { where: { id: rows[0]?.id as string } })).toEqual({ deleted: 1 });
            const found = await one.fork().find(BigThing, {}, { orderBy: { size: 'asc' } });
            expect(found).toMatchObject([
              { name: 'y!', size: 4 },
              { name: 'y!', size: 6 },
            ]);
            expect(await two.fork().find(BigThing, {}, { orderBy: { size: 'asc' } })).toMatchObject(rows);
          });
        } finally {
          for (const schema of schemas)
            await database.fork().execute(`drop schema ${schema}${engine.name === 'postgresql' ? ' cascade' : ''}`);
        }
      });
    },
    ['postgresql', 'mariadb', 'mysql'],
  );
});
