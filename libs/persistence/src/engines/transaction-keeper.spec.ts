import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import SqliteDatabase from 'better-sqlite3';
import { aDatabase, eachEngine } from '#libs/testing';
import { ormOptions } from '../orm-options.js';
import { Account } from '../transactions/account.fixture.js';
import { transactional } from '../transactions/transactional.js';

/** Every case would hang, and not only fail, if the one connection were not given back. */
const ONE_CONNECTION = { pool: { min: 0, max: 1 } };

const SERVERS = ['mysql', 'mariadb', 'postgresql'] as const;

describe('a transaction that the server cuts off', () => {
  eachEngine((engine) => {
    const database = aDatabase(engine, [Account], ONE_CONNECTION);
    const isPostgresql = engine.name === 'postgresql';

    /** Ends the connection of `em` from outside, as an administrator or a failover does. */
    async function cutOff(em: SqlEntityManager): Promise<void> {
      const name = isPostgresql ? 'pg_backend_pid()' : 'connection_id()';
      const [row] = await em.execute(`select ${name} as id`);
      const other = await MikroORM.init<AbstractSqlDriver>(ormOptions(database.url, { entities: [Account] }));
      const kill = isPostgresql ? `select pg_terminate_backend(${row.id})` : `kill ${row.id}`;
      await (other.em as SqlEntityManager).execute(kill);
      await other.close(true);
    }

    beforeEach(async () => {
      const em = database.fork();
      await em.nativeDelete(Account, {});
      await em.persist(new Account(1, 100)).flush();
    });

    it('is an error, keeps nothing, and leaves the pool whole', async () => {
      for (let round = 0; round < 3; round++) {
        const attempt = transactional(database.fork(), async (em) => {
          await em.nativeUpdate(Account, { id: 1 }, { balance: 0 });
          await cutOff(em);
          await em.nativeUpdate(Account, { id: 1 }, { balance: 1 });
        });
        await expect(attempt).rejects.toThrow();
        expect((await database.fork().findOneOrFail(Account, { id: 1 })).balance).toBe(100);
      }
    });

    it('is one also when its code has swallowed the error', async () => {
      const attempt = transactional(database.fork(), async (em) => {
        await em.nativeUpdate(Account, { id: 1 }, { balance: 0 });
        await cutOff(em);
        await em.nativeUpdate(Account, { id: 1 }, { balance: 1 }).catch(() => {});
      });
      await expect(attempt).rejects.toThrow();
      expect((await database.fork().findOneOrFail(Account, { id: 1 })).balance).toBe(100);
    });

    it('does not matter to those who come later, though it was idle', async () => {
      await cutOff(database.fork());
      // The first may still meet the dead connection; what counts is that it says so and the next does not.
      await transactional(database.fork(), (em) => em.count(Account)).catch(() => {});
      expect(await transactional(database.fork(), (em) => em.count(Account))).toBe(1);
    });
  }, SERVERS);
});

describe('the one connection of a file', () => {
  eachEngine(
    (engine) => {
      const database = aDatabase(engine, [Account]);
      const fileOf = () => database.url.replace('sqlite:', '');

      beforeEach(async () => {
        const em = database.fork();
        await em.nativeDelete(Account, {});
        await em.persist(new Account(1, 100)).flush();
      });

      it('is free again, and of whatever was left open on it, when a transaction could not begin', async () => {
        await database.fork().execute('begin');
        await expect(transactional(database.fork(), () => {})).rejects.toThrow(/within a transaction/);
        expect(await transactional(database.fork(), (em) => em.count(Account))).toBe(1);
      });

      it('is free again when there was nothing left to roll back', async () => {
        const attempt = transactional(database.fork(), async (em) => {
          await em.execute('rollback');
          throw new Error('after it');
        });
        await expect(attempt).rejects.toThrow('after it');
        expect(await transactional(database.fork(), (em) => em.count(Account))).toBe(1);
      });

      it('serves one transaction after the other, also those begun by hand', async () => {
        const [first, second] = [database.fork(), database.fork()];
        await first.begin();
        let hasBegun = false;
        const beginning = second.begin().then(() => {
          hasBegun = true;
        });
        await first.nativeUpdate(Account, { id: 1 }, { balance: 1 });
        await sleep(10);
        await first.nativeUpdate(Account, { id: 1 }, { balance: 2 });
        expect(hasBegun).toBe(false);
        await first.rollback();
        await beginning;
        expect(await second.findOneOrFail(Account, { id: 1 })).toMatchObject({ balance: 100 });
        await second.rollback();
      });

      it('waits for another process without stopping this one', async () => {
        const other = new SqliteDatabase(fileOf());
        other.exec('begin immediate; update account set balance = 50');
        let ticks = 0;
        const clock = setInterval(() => {
          if (++ticks === 5) other.exec('commit');
        }, 10);
        try {
          const pay = async (em: SqlEntityManager) => {
            (await em.findOneOrFail(Account, { id: 1 })).balance -= 10;
          };
          // In one attempt: a transaction that had given up and begun anew would hide a wait that does not end.
          await transactional(database.fork(), pay, { maxAttempts: 1 });
        } finally {
          clearInterval(clock);
          other.close();
        }
        expect((await database.fork().findOneOrFail(Account, { id: 1 })).balance).toBe(40);
        expect(ticks).toBeGreaterThanOrEqual(5);
      });

      it('keeps others from writing between what a transaction reads and what it writes', async () => {
        const other = new SqliteDatabase(fileOf(), { timeout: 0 });
        try {
          await transactional(database.fork(), async (em) => {
            const account = await em.findOneOrFail(Account, { id: 1 });
            expect(() => other.exec('update account set balance = 50')).toThrow(/locked/);
            account.balance -= 10;
          });
          expect(other.prepare('select balance from account').get()).toEqual({ balance: 90 });
        } finally {
          other.close();
        }
      });

      it('commits nothing of a transaction for which there was no room, though the error was swallowed', async () => {
        const attempt = transactional(database.fork(), async (em) => {
          await em.nativeUpdate(Account, { id: 1 }, { balance: 0 });
          await em.execute('pragma max_page_count = 1');
          await em.execute('create table filler as select zeroblob(100000) as it').catch(() => {});
          await em.nativeUpdate(Account, { id: 1 }, { balance: 1 });
        });
        await expect(attempt).rejects.toMatchObject({ code: 'storage_full', cause: { code: 'SQLITE_FULL' } });
        await database.fork().execute('pragma max_page_count = 1000000');
        expect((await database.fork().findOneOrFail(Account, { id: 1 })).balance).toBe(100);
      });
    },
    ['sqlite'],
  );
});
