import { existsSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { MikroORM } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { ormOptions } from '#libs/persistence';
import { aDatabase, aTenant, createTestDatabase, eachEngine, expectStatements, shopModel, Tag } from '../index.js';

async function canOpen(url: string): Promise<boolean> {
  if (url.startsWith('sqlite:')) return existsSync(url.slice('sqlite:'.length));
  const orm = await MikroORM.init(ormOptions(url, { entities: [], discovery: { warnWhenNoEntities: false } }));
  try {
    await (orm.em as SqlEntityManager).execute('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await orm.close(true);
  }
}

describe('a database for a suite', () => {
  eachEngine((engine) => {
    const database = aDatabase(engine, shopModel);

    it('counts what the unit of work, raw SQL and Kysely send, and leaves out begin and commit', async () => {
      const tenantId = aTenant().id;
      await expectStatements(database, 3, async () => {
        const em = database.fork();
        em.create(Tag, { tenantId, name: 'scifi' });
        await em.flush();
        await em.execute('select 1');
        await em.getKysely<{ tag: { name: string } }>().selectFrom('tag').select('name').execute();
      });
    });

    it('counts inside transactions and streams, too', async () => {
      await expectStatements(database, 2, () =>
        database.fork().transactional(async (em) => {
          await em.execute('select 1');
          for await (const row of em.getKysely<{ tag: { name: string } }>().selectFrom('tag').select('name').stream())
            void row;
        }),
      );
    });

    it('fails with the list when there are more or fewer statements than expected', async () => {
      const twice = async () => {
        await database.fork().execute('select 41');
        await database.fork().execute('select 42');
      };
      await expect(expectStatements(database, 1, twice)).rejects.toThrow(
        /1 statements, 2 were sent:\nselect 41\nselect 42/,
      );
      await expect(expectStatements(database, 3, twice)).rejects.toThrow(/3 statements, 2 were sent/);
    });

    it('gives every caller a database of its own, and drops it', async () => {
      const [one, other] = [await createTestDatabase(engine), await createTestDatabase(engine)];
      expect(one.name).not.toBe(other.name);
      const orm = await MikroORM.init(ormOptions(one.url, { entities: [...shopModel] }));
      await orm.schema.create();
      await orm.close(true);
      await one.drop();
      await other.drop();
      await other.drop();
      expect(await canOpen(one.url)).toBe(false);
    });
  });
});
