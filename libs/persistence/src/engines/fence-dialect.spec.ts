import { describe, expect, it } from '@jest/globals';
import { aDatabase, eachEngine, shopModel } from '#libs/testing';
import { getEngine, newId } from '../index.js';

describe('a fence', () => {
  eachEngine((engine) => {
    const database = aDatabase(engine, shopModel);
    const failure = async (sql: string): Promise<unknown> => {
      const error = await database.orm.driver
        .getConnection()
        .execute(sql)
        .then(
          () => new Error('It has not failed.'),
          (reason: unknown) => reason,
        );
      return (error as Error).cause ?? error;
    };
    const standing = async (work: (tenantId: string) => Promise<void>) => {
      const { fences } = getEngine(database.url);
      const tenantId = newId();
      const quote = (name: string) => database.fork().getPlatform().quoteIdentifier(name);
      const fence = { name: 'fence_spec', table: quote('tag'), column: quote('tenant_id'), tenantId };
      const connection = database.orm.driver.getConnection();
      for (const sql of fences.raise(fence)) await connection.execute(sql);
      await work(tenantId);
      for (const sql of fences.lower(fence)) await connection.execute(sql);
    };
    const insert = (tenantId: string, name: string) =>
      `insert into tag (tenant_id, id, name) values ('${tenantId}', '${newId()}', '${name}')`;

    it('is known by what the product says of its refusal', async () => {
      const { fences } = getEngine(database.url);
      await standing(async (tenantId) => {
        expect(fences.isRefusal(await failure(insert(tenantId, 'tea')))).toBe(true);
      });
    });

    it('is not taken for the cause of a failure that only quotes its words', async () => {
      const { fences } = getEngine(database.url);
      for (const sql of ['select * from rowhouse_fence', 'select rowhouse_fence from tag']) {
        const error = await failure(sql);
        expect(String(error)).toContain('rowhouse_fence');
        expect(fences.isRefusal(error)).toBe(false);
      }
    });
  });
});
