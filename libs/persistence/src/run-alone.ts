import { setTimeout as sleep } from 'node:timers/promises';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { CompiledQuery } from 'kysely';
import { getEngine } from './engines/engines.js';
import type { LockDialect, SendOnOneConnection } from './engines/lock-dialect.js';
import { ormOptions } from './orm-options.js';

const LONGEST_PAUSE_MS = 200;

/**
 * Runs `fn` while no other process, and nobody else in this one, runs something under the same name with the same database:
 * for work that several instances of an application begin at once, such as migrations. Whoever comes later waits for as long
 * as it takes; when a holder dies, its database gives the lock back. So it does when the holder's connection is cut, and the
 * holder does not notice: work for which two at once would be worse than a failure needs a fence of its own.
 *
 * Work done alone may contain work of another name that is done alone.
 *
 * @param url  the database that keeps the lock; must be there
 * @param name  lower-case letters, digits, spaces and hyphens
 */
export async function runAlone<T>(url: string, name: string, fn: () => Promise<T>): Promise<T> {
  const { locks } = getEngine(url);
  const options = { entities: [], discovery: { warnWhenNoEntities: false }, contextName: `lock ${name}` };
  const orm = new MikroORM<AbstractSqlDriver>(ormOptions(locks.urlOf(url, name), options, { max: 1 }));
  try {
    await orm.connect();
    // Taken out of its pool: the lock hangs on the connection, and a pool closes those that nobody uses.
    const held = (orm.em.fork() as SqlEntityManager).getKysely().connection();
    return await held.execute((connection) => {
      const send: SendOnOneConnection = async (sql) =>
        (await connection.executeQuery(CompiledQuery.raw(sql))).rows as [];
      return holding(locks, name, send, fn);
    });
  } finally {
    await orm.close(true);
  }
}

async function holding<T>(locks: LockDialect, name: string, send: SendOnOneConnection, fn: () => Promise<T>) {
  for (let pause = 5; !(await locks.tryTake(name, send)); pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    await sleep(pause);
  }
  try {
    return await fn();
  } finally {
    // Where that fails the connection is gone, and the lock with it: what became of the work is what the caller wants to know.
    await locks.giveBack(name, send).catch(() => undefined);
  }
}
