import { afterAll, beforeAll } from '@jest/globals';
import { type EntityClass, MikroORM } from '@mikro-orm/core';
import type { AbstractSqlConnection, AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { type OrmOverrides, ormOptions, runInSystemFrame } from '#libs/persistence';
import type { TestEngine } from '../engines/each-engine.js';
import { StatementLog } from './statement-log.js';
import { createTestDatabase } from './test-database.js';

/** A database of a suite's own, open while its cases run. */
export interface SuiteDatabase {
  /** Known once the suite's `beforeAll` hooks run. */
  readonly orm: MikroORM<AbstractSqlDriver>;
  readonly url: string;
  /** A fresh EntityManager: one unit of work. */
  fork(): SqlEntityManager;
  /** The statements sent while `fn` runs, Kysely and raw SQL included, begin, commit and savepoints left out. */
  statementsOf(fn: () => Promise<unknown>): Promise<string[]>;
}

/** Opens the database behind `url` with `entities` and records its statements. */
async function open(url: string, entities: readonly EntityClass[], overrides: OrmOverrides, log: StatementLog) {
  const orm = new MikroORM<AbstractSqlDriver>(ormOptions(url, { entities: [...entities], ...overrides }));
  log.listenTo(orm.em.getConnection() as AbstractSqlConnection);
  await orm.connect();
  return orm;
}

/**
 * Gives the current `describe` block a database on `engine` with the tables of `entities`: made before its first case,
 * dropped after its last. Cases share it, so let each work for tenants of its own (`aTenant()`).
 *
 * @param overrides  MikroORM options, such as subscribers or the EntityManager under test; a function is called when the
 *   database is made, for what exists only then
 */
export function aDatabase(
  engine: TestEngine,
  entities: readonly EntityClass[],
  overrides: OrmOverrides | (() => OrmOverrides) = {},
): SuiteDatabase {
  const log = new StatementLog();
  let opened: { orm: MikroORM<AbstractSqlDriver>; url: string; drop(): Promise<void> } | undefined;
  const getOpened = () => {
    if (!opened)
      throw new Error('The database is not open yet: use it in cases and hooks, not while they are declared.');
    return opened;
  };

  beforeAll(async () => {
    const { url, drop } = await createTestDatabase(engine);
    const orm = await open(url, entities, typeof overrides === 'function' ? overrides() : overrides, log);
    opened = { orm, url, drop };
    // In a system frame, in case the driver under test guards its statements.
    await runInSystemFrame('create a test database', () => orm.schema.create());
  }, 30_000);

  afterAll(async () => {
    await opened?.orm.close(true);
    await opened?.drop();
  }, 30_000);

  return {
    get orm() {
      return getOpened().orm;
    },
    get url() {
      return getOpened().url;
    },
    fork: () => getOpened().orm.em.fork() as SqlEntityManager,
    statementsOf: (fn) => log.record(fn),
  };
}

/**
 * Runs `fn` and fails unless it sends exactly `count` statements; the failure lists them. Begin, commit and savepoints
 * are not counted.
 */
export async function expectStatements<T>(
  database: Pick<SuiteDatabase, 'statementsOf'>,
  count: number,
  fn: () => Promise<T>,
): Promise<T> {
  let result: T | undefined;
  const statements = await database.statementsOf(async () => {
    result = await fn();
  });
  if (statements.length !== count) {
    throw new Error(`Expected ${count} statements, ${statements.length} were sent:\n${statements.join('\n')}`);
  }
  return result as T;
}
