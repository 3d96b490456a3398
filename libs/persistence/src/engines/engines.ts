import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { UnknownEngineError } from '../errors/unknown-engine.error.js';
import type { Engine, EngineName } from './engine.js';
import { mariadbEngine } from './mariadb.engine.js';
import { mysqlEngine } from './mysql.engine.js';
import { postgresqlEngine } from './postgresql.engine.js';
import { sqliteEngine } from './sqlite.engine.js';

/** Every engine by its name. */
export const engines: Readonly<Record<EngineName, Engine>> = {
  sqlite: sqliteEngine,
  mysql: mysqlEngine,
  mariadb: mariadbEngine,
  postgresql: postgresqlEngine,
};

/**
 * The engine a database URL speaks of: `sqlite:<file>`, `mysql://…`, `mariadb://…`, `postgresql://…` (or `postgres://…`).
 * @throws {UnknownEngineError}
 */
export function getEngine(url: string): Engine {
  const scheme = /^([a-z]+):/.exec(url)?.[1] ?? url.slice(0, 0);
  const name = scheme === 'postgres' ? 'postgresql' : scheme;
  if (!Object.hasOwn(engines, name)) throw new UnknownEngineError(scheme);
  return engines[name as EngineName];
}

const enginesOfDrivers = new WeakMap<AbstractSqlDriver, Engine>();

/** The engine behind an EntityManager. */
export function engineOf(em: SqlEntityManager): Engine {
  const driver = em.getDriver();
  const known = enginesOfDrivers.get(driver);
  if (known) return known;
  // MariaDB's driver extends MySQL's, so the engine asked first is the most special one.
  const { mariadb, mysql, postgresql, sqlite } = engines;
  const engine = [mariadb, mysql, postgresql, sqlite].find((candidate) => candidate.runs(driver));
  if (!engine) throw new UnknownEngineError(driver.constructor.name);
  enginesOfDrivers.set(driver, engine);
  return engine;
}
