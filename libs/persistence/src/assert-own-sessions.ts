import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { getEngine } from './engines/engines.js';
import { TransactionPoolerError } from './errors/transaction-pooler.error.js';
import { ormOptions } from './orm-options.js';

/**
 * Which of two connections asks. Twice in a row, so that a pooler which hands its own out in turn is noticed; one after the
 * other, so that one is which hands out the last one again.
 */
const ASKING = [0, 0, 1, 1, 0, 1] as const;

const LIMITS = { max: 1, acquireTimeoutMs: 5_000 };

/**
 * Finds out whether a connection to PostgreSQL is a session of the server, as locks and settings of the kit need it to be:
 * each of two connections must be answered by a session of its own, every time. Other products know no such poolers.
 *
 * @param name  what to call the database in errors
 * @throws {TransactionPoolerError}
 * @throws {DriverException} when the database cannot be reached
 */
export async function assertOwnSessions(url: string, name: string): Promise<void> {
  if (getEngine(url).name !== 'postgresql') return;
  const options = { entities: [], discovery: { warnWhenNoEntities: false } };
  const orms = [0, 1].map(
    (n) => new MikroORM<AbstractSqlDriver>(ormOptions(url, { ...options, contextName: `session ${n}` }, LIMITS)),
  );
  try {
    const ems = orms.map((orm) => orm.em.fork() as SqlEntityManager);
    const seen: Set<unknown>[] = [new Set(), new Set()];
    for (const n of ASKING) {
      const [row] = await (ems[n] as SqlEntityManager).execute<{ pid: number }[]>('select pg_backend_pid() as pid');
      seen[n]?.add(row?.pid);
    }
    // Two sessions, each seen by one of them alone.
    const [a, b] = seen.map((pids) => [...pids].join());
    if (seen.some(({ size }) => size > 1) || a === b) throw new TransactionPoolerError(name);
  } finally {
    for (const orm of orms) await orm.close(true);
  }
}
