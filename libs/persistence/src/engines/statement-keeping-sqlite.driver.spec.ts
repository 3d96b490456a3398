import { describe, expect, it } from '@jest/globals';
import type { CompiledQuery, DatabaseConnection } from 'kysely';
import { aDatabase, Category, eachEngine, shopModel } from '#libs/testing';
import { newId } from '../index.js';

describe('StatementKeepingSqliteDriver', () => {
  eachEngine(
    (engine) => {
      let opened: DatabaseConnection | undefined;
      const database = aDatabase(engine, shopModel, {
        onCreateConnection: async (connection) => {
          opened = connection as DatabaseConnection;
        },
      });

      /** Below Kysely, which lets one reader wait for the other. */
      const connection = () => opened as DatabaseConnection;
      const categoriesOf = (tenantId: string) =>
        ({
          sql: 'select name from category where tenant_id = ? order by name',
          parameters: [tenantId],
          query: { kind: 'SelectQueryNode' },
        }) as unknown as CompiledQuery<{ name: string }>;
      const namesOf = async (tenantId: string) =>
        (await connection().executeQuery<{ name: string }>(categoriesOf(tenantId))).rows.map(({ name }) => name);
      const stream = (tenantId: string) => connection().streamQuery(categoriesOf(tenantId), 1);

      async function aTenantWith(...names: string[]): Promise<string> {
        const tenantId = newId();
        const em = database.fork();
        for (const name of names) em.create(Category, { tenantId, name });
        await em.flush();
        return tenantId;
      }

      it('gives a kept statement to one reader at a time', async () => {
        const [first, second] = [await aTenantWith('a', 'b'), await aTenantWith('x', 'y')];
        expect(await namesOf(first)).toEqual(['a', 'b']);
        const seen: unknown[] = [];
        for await (const { rows } of stream(first)) {
          seen.push(...rows);
          for await (const inner of stream(second)) seen.push(...inner.rows);
          expect(await namesOf(second)).toEqual(['x', 'y']);
        }
        expect(seen).toEqual(['a', 'x', 'y', 'b', 'x', 'y'].map((name) => ({ name })));
      });

      it('prepares a write with bound values once, and one whose text holds its values each time', async () => {
        await aTenantWith('a');
        type Prepared = { prepare(sql: string): { run(...values: unknown[]): unknown } };
        const native = Reflect.get(database.orm.em.getConnection(), 'database') as Prepared;
        const bound = 'insert into category (tenant_id, id, name) values (?, ?, ?)';
        const kept = native.prepare(bound);
        // Not `toBe`: a failure would print native objects, which cannot be.
        expect(native.prepare(bound) === kept).toBe(true);
        const [first, second] = [newId(), newId()];
        for (const tenantId of [first, second]) native.prepare(bound).run(tenantId, newId(), `of ${tenantId}`);
        expect([await namesOf(first), await namesOf(second)]).toEqual([[`of ${first}`], [`of ${second}`]]);
        const written = `delete from category where tenant_id = '${first}'`;
        const once = native.prepare(written);
        expect(native.prepare(written) === once).toBe(false);
      });

      it('keeps a read as long as it is used, however many others come meanwhile, and of those the last alone', () => {
        type Preparing = { prepare(sql: string): object };
        const native = Reflect.get(database.orm.em.getConnection(), 'database') as Preparing;
        const text = (n: number) => `select ${n} from category where tenant_id = ?`;
        const [used, first] = [native.prepare(text(-1)), native.prepare(text(0))];
        for (let n = 1; n < 150; n++) {
          native.prepare(text(n));
          if (n % 10 === 0) native.prepare(text(-1));
        }
        expect(native.prepare(text(-1)) === used).toBe(true);
        expect(native.prepare(text(0)) === first).toBe(false);
      });

      it('sees a table that was changed since the statement was made', async () => {
        const tenantId = await aTenantWith('a');
        expect(await namesOf(tenantId)).toEqual(['a']);
        await database.fork().execute('alter table category add column extra text');
        expect(await namesOf(tenantId)).toEqual(['a']);
        await database.fork().execute('alter table category drop column extra');
        expect(await namesOf(tenantId)).toEqual(['a']);
      });
    },
    ['sqlite'],
  );
});
