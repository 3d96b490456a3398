import { describe, expect, it } from '@jest/globals';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlConnection, AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { aDatabase, eachEngine } from '#libs/testing';
import { ormOptions } from '../orm-options.js';
import { Account } from '../transactions/account.fixture.js';

/** What keeps a process alive: a pool that nobody closes has a timer for ever. */
const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;

/** Counts the dialects that are made for the ORM's connection: each comes with a pool. */
function countPools(orm: MikroORM<AbstractSqlDriver>): () => number {
  const connection = orm.driver.getConnection() as AbstractSqlConnection;
  const create = connection.createKyselyDialect.bind(connection);
  let made = 0;
  connection.createKyselyDialect = ((options: never) => {
    made++;
    return create(options);
  }) as typeof connection.createKyselyDialect;
  return () => made;
}

describe('statements that come first at the same time', () => {
  eachEngine((engine) => {
    const database = aDatabase(engine, [Account]);
    const anOrm = () => new MikroORM<AbstractSqlDriver>(ormOptions(database.url, { entities: [Account] }));
    const askTenTimes = (orm: MikroORM<AbstractSqlDriver>) =>
      Promise.all(Array.from({ length: 10 }, () => (orm.em.fork() as SqlEntityManager).find(Account, {})));

    it('share one pool, which closes whole', async () => {
      const before = timers();
      const orm = anOrm();
      const pools = countPools(orm);
      await askTenTimes(orm);
      await orm.close(true);
      expect(pools()).toBe(1);
      expect(timers()).toBeLessThanOrEqual(before);
    });

    it('leave nothing open when their connection is closed meanwhile', async () => {
      const before = timers();
      const orm = anOrm();
      const asking = askTenTimes(orm).catch(() => {});
      await orm.close(true);
      await asking;
      await orm.close(true);
      expect(timers()).toBeLessThanOrEqual(before);
    });
  });
});
