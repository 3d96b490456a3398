import { describe, expect, it } from '@jest/globals';
import { runInContext } from '#libs/context';
import { aDatabase, eachEngine } from '#libs/testing';
import { Account } from '../transactions/account.fixture.js';
import { type SentStatement, watchStatements } from './statement-watch.js';
import { withholdValues } from './withhold-values.js';

describe('watchStatements', () => {
  eachEngine((engine) => {
    const database = aDatabase(engine, [Account]);

    it('shows flushes, queries, Kysely and failures, with what they took and without their values', async () => {
      const seen: SentStatement[] = [];
      const stop = watchStatements((it) => seen.push(it));
      await runInContext({ requestId: 'r-1', tenant: { id: 't', slug: 'acme' }, route: '/v1/x' }, async () => {
        const em = database.fork();
        await em.persist(new Account(4711, 987654)).flush();
        await em.execute("select 'secret word' as it");
        await em
          .getKysely<{ account: { id: number } }>()
          .selectFrom('account')
          .selectAll()
          .where('id', '=', 4711)
          .execute();
        await em.execute('select 1 from nowhere').catch(() => {});
      });
      stop();
      await database.fork().find(Account, {});
      const all = seen.filter(({ requestId }) => requestId === 'r-1');
      const statements = all.filter(({ sql }) => /insert|select/i.test(sql));
      expect(statements.map(({ error }) => error === undefined)).toEqual([true, true, true, false]);
      for (const it of statements) {
        expect(it).toMatchObject({ tenant: 'acme', route: '/v1/x', database: 'default', ms: expect.any(Number) });
      }
      expect(statements[2]).toMatchObject({ rows: 1 });
      expect(JSON.stringify(seen)).not.toMatch(/4711|987654|secret word/);
      expect(statements[1]?.caller).toMatch(/statement-watch\.spec/);
    });
  });

  it.each([
    ["insert into a (b) values ('it''s', 12, -3.5, null)", 'insert into a (b) values (?, ?, -?, null)'],
    [
      'select "col1", t2.x3 from t2 where y = $1 and z in (1, 2)',
      'select "col1", t2.x3 from t2 where y = $1 and z in (?, ?)',
    ],
    ["select e'a\\'b 5', $x$ 'open 6 $x$, 'never closed 7", 'select ?, ?, ?'],
    ["select 'a\\', 5, 'b'", 'select ?, ?, ?'],
  ])('withholds the values of %j', (sql, shown) => expect(withholdValues(sql, false)).toBe(shown));

  it('knows that a backslash escapes on MySQL', () => {
    expect(withholdValues("select 'a\\', 5, \\'b', `c1`", true)).toBe('select ?, `c1`');
  });
});
