import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { type EntityClass, MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { type EngineName, type OrmOverrides, ormOptions, runInSystemFrame } from '#libs/persistence';

/** An engine that answers, as the set-up of the run found it. */
export interface BenchEngine {
  readonly name: EngineName;
  readonly label: string;
  /** Where databases are made. */
  readonly url: string;
}

interface Run {
  readonly run: string;
  readonly engines: Readonly<Record<EngineName, { url?: string; label?: string }>>;
}

const getRun = () => JSON.parse(process.env.ROWHOUSE_TEST_RUN ?? '{"engines":{}}') as Run;

export function reachableEngines(): BenchEngine[] {
  return Object.entries(getRun().engines).flatMap(([name, { url, label }]) =>
    url && label ? [{ name: name as EngineName, label, url }] : [],
  );
}

/** A database with the tables of some entities, gone when it is closed. */
export interface BenchDatabase {
  readonly url: string;
  readonly orm: MikroORM<AbstractSqlDriver>;
  fork(): SqlEntityManager;
  close(): Promise<void>;
}

async function onServer(url: string, sql: string): Promise<void> {
  const options = ormOptions(url, { entities: [], discovery: { warnWhenNoEntities: false } });
  const orm = await MikroORM.init(options);
  await (orm.em as SqlEntityManager).execute(sql).finally(() => orm.close(true));
}

/** An empty database, and how to drop it. */
export async function createEmpty({ name: engine, url: base }: BenchEngine) {
  // The end of the run drops what has its name.
  const name = `rowhouse_test_${getRun().run}_${randomBytes(4).toString('hex')}`;
  if (engine === 'sqlite') {
    const file = `${base.replace('sqlite:', '')}/${name}.sqlite`;
    const drop = async () => {
      for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
    };
    return { url: `sqlite:${file}`, drop };
  }
  await onServer(base, `create database ${name}`);
  const url = new URL(base);
  url.pathname = name;
  return { url: url.href, drop: () => onServer(base, `drop database ${name}`) };
}

export async function createDatabase(
  engine: BenchEngine,
  entities: readonly EntityClass[],
  overrides: OrmOverrides = {},
): Promise<BenchDatabase> {
  const { url, drop } = await createEmpty(engine);
  const orm = await MikroORM.init<AbstractSqlDriver>(ormOptions(url, { entities: [...entities], ...overrides }));
  await runInSystemFrame('tables of a benchmark', () => orm.schema.create());
  const close = async () => {
    await orm.close(true);
    await drop();
  };
  return { url, orm, fork: () => orm.em.fork() as SqlEntityManager, close };
}
