import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { ormOptions, poolFiguresOf, type SentStatement, transactional, watchStatements } from '#libs/persistence';
import { aDatabase, eachEngine, shopModel, Tag } from '#libs/testing';

/** What a session is told in the words of each product, and how to ask it back. */
const SESSION: Readonly<Record<string, { readonly set: string; readonly ask: string; readonly told: unknown }>> = {
  sqlite: { set: 'pragma case_sensitive_like = on', ask: "select 'a' like 'A' as told", told: 0 },
  postgresql: { set: "set statement_timeout = '7s'", ask: 'show statement_timeout', told: '7s' },
  mysql: { set: 'set session innodb_lock_wait_timeout = 7', ask: 'select @@innodb_lock_wait_timeout as told', told: 7 },
};

describe('connections', () => {
  eachEngine((engine) => {
    const { set, ask, told } = SESSION[engine.name] ?? (SESSION.mysql as (typeof SESSION)[string]);
    const database = aDatabase(engine, shopModel);
    const opened: MikroORM[] = [];
    let url: string;
    beforeAll(() => {
      url = database.url;
    });
    afterEach(async () => {
      for (const orm of opened.splice(0)) await orm.close(true);
    });

    it('are told something once, when they are made', async () => {
      // #region session-sql
      const orm = await MikroORM.init<AbstractSqlDriver>(
        ormOptions(url, { entities: shopModel }, { max: 5, acquireTimeoutMs: 2_000, onCreateSql: [set] }),
      );
      // #endregion
      opened.push(orm);
      const [row] = await (orm.em.fork() as SqlEntityManager).execute<Record<string, unknown>[]>(ask);
      expect(Object.values(row ?? {})).toEqual([told]);
    });

    it('are waited for as long as one may wait, and no longer', async () => {
      const orm = await MikroORM.init<AbstractSqlDriver>(
        ormOptions(url, { entities: shopModel }, { max: 1, acquireTimeoutMs: 200 }),
      );
      opened.push(orm);
      // #region full-pool
      await transactional(orm.em.fork() as SqlEntityManager, async (tx) => {
        await tx.count(Tag, {});
        const elsewhere = orm.em.fork({ disableContextResolution: true }); // a second connection, of a pool of one
        const code = await elsewhere.count(Tag, {}).catch((error) => error.code);
        expect(code).toBe(engine.name === 'sqlite' ? 'connection_held' : 'pool_exhausted');
      });
      const [figures] = poolFiguresOf(orm.driver); // the primary's, then those of replicas
      // #endregion
      expect(figures).toMatchObject({ max: 1, inUse: 0, waiting: 0 });
    });

    it('show what is sent, with values withheld', async () => {
      const seen: SentStatement[] = [];
      // #region watch-statements
      const stop = watchStatements((statement) => seen.push(statement));
      await database.fork().find(Tag, { name: 'nobody else shall read this' });
      stop();
      // #endregion
      const [{ sql, ms } = { sql: '', ms: -1 }] = seen.filter((it) => it.sql.includes('tag'));
      expect(sql).toMatch(/where .*name.* = \?/);
      expect(sql).not.toContain('nobody else');
      expect(ms).toBeGreaterThanOrEqual(0);
    });
  });
});
