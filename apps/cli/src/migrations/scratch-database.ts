import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { type Engine, type OrmOverrides, ormOptions } from '#libs/persistence';

/** Opens a database, lets `work` at it and closes it again. */
export async function withOrm<T>(
  url: string,
  overrides: OrmOverrides,
  work: (orm: MikroORM<AbstractSqlDriver>) => Promise<T>,
): Promise<T> {
  const orm = new MikroORM<AbstractSqlDriver>(ormOptions(url, { logger: () => {}, ...overrides }));
  try {
    return await work(orm);
  } finally {
    await orm.close(true);
  }
}

/**
 * Runs `work` with an empty database that nobody else has, and drops it.
 * @param serverUrl  any database of the server; sqlite needs none and takes a temporary folder
 */
export async function withScratchDatabase<T>(
  engine: Engine,
  serverUrl: string | undefined,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'rowhouse-'));
  const neighbour = serverUrl ?? `sqlite:${folder}/scratch.sqlite`;
  const url = engine.places.databaseUrl(neighbour, `rowhouse_scratch_${randomBytes(4).toString('hex')}`);
  const send = (sql: string) =>
    withOrm(neighbour, { entities: [], discovery: { warnWhenNoEntities: false } }, (orm) =>
      (orm.em as SqlEntityManager).execute(sql),
    );
  try {
    await engine.places.createDatabase(url, send);
    return await work(url);
  } finally {
    await engine.places.dropDatabase(url, send);
    rmSync(folder, { recursive: true, force: true });
  }
}
