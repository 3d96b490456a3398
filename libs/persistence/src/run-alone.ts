import { setTimeout as sleep } from 'node:timers/promises';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver } from '@mikro-orm/sql';
import { getEngine } from './engines/engines.js';
import { ormOptions } from './orm-options.js';

const LONGEST_PAUSE_MS = 200;
/** As long as a timer can be: a connection that a pool closes because nothing is sent takes the lock with it. */
const FOR_EVER_MS = 2 ** 31 - 1;

/**
 * Runs `fn` while no other process, and nobody else in this one, runs something under the same name with the same database:
 * for work that several instances of an application begin at once, such as migrations. Whoever comes later waits for as long
 * as it takes; when a holder dies, its database gives the lock back.
 *
 * @param url  the database that keeps the lock; must be there
 * @param name  lower-case letters, digits, spaces and hyphens
 */
export async function runAlone<T>(url: string, name: string, fn: () => Promise<T>): Promise<T> {
  const { locks } = getEngine(url);
  const options = { entities: [], discovery: { warnWhenNoEntities: false }, contextName: `lock ${name}` };
  const orm = new MikroORM<AbstractSqlDriver>(
    ormOptions(locks.urlOf(url), options, { max: 1, idleTimeoutMs: FOR_EVER_MS }),
  );
  // One connection, which closes only with the instance: the lock hangs on it.
  const connection = orm.driver.getConnection();
  const send = (sql: string) => connection.execute<Record<string, unknown>[]>(sql, [], 'all');
  try {
    for (let pause = 5; !(await locks.tryTake(name, send)); pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      await sleep(pause);
    }
    try {
      return await fn();
    } finally {
      await locks.giveBack(name, send);
    }
  } finally {
    await orm.close(true);
  }
}
