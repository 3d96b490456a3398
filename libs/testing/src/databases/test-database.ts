import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { MikroORM } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { ormOptions } from '#libs/persistence';
import type { TestEngine } from '../engines/each-engine.js';
import { getTestRun } from '../engines/test-run.js';

/** An empty database of a name that nothing else has. */
export interface TestDatabase {
  readonly name: string;
  /** Opens the database: give it to `ormOptions`, or to a configuration under test. */
  readonly url: string;
  /** Close every connection first. May be called twice. */
  drop(): Promise<void>;
}

async function onServer(engine: TestEngine, sql: string): Promise<void> {
  const options = ormOptions(engine.serverUrl, { entities: [], discovery: { warnWhenNoEntities: false } });
  const orm = await MikroORM.init(options);
  try {
    await (orm.em as SqlEntityManager).execute(sql);
  } finally {
    await orm.close(true);
  }
}

/** `url` with its database replaced by `name`. */
function urlOf(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = name;
  return url.href;
}

/**
 * Makes an empty database. Whoever calls it drops it; what a crashed suite leaves behind, the end of the run drops.
 * Most specs want `aDatabase`, which also opens it.
 */
export async function createTestDatabase(engine: TestEngine): Promise<TestDatabase> {
  const { run, folder } = getTestRun();
  const name = `rowhouse_test_${run}_${randomBytes(4).toString('hex')}`;
  if (engine.name === 'sqlite') {
    const file = `${folder}/${name}.sqlite`;
    const drop = async () => {
      for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
    };
    return { name, url: `sqlite:${file}`, drop };
  }
  const isPostgresql = engine.name === 'postgresql';
  await onServer(engine, `create database ${name}`);
  return {
    name,
    url: urlOf(engine.serverUrl, name),
    drop: () => onServer(engine, `drop database if exists ${name}${isPostgresql ? ' with (force)' : ''}`),
  };
}
