import { randomBytes } from 'node:crypto';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { ormOptions } from '#libs/persistence';
import { createTestDatabase, type TestEngine } from '#libs/testing';

/** A PostgreSQL database as one gets it from a provider: its owner may make roles, and is no superuser. */
export interface OwnedDatabase {
  /** Opens it as the owner of its tables. */
  readonly url: string;
  /** A name for the role of the application that no other test has. */
  readonly role: string;
  /** Sends SQL as the superuser of the server: sees all rows, and may do anything. */
  sql<Row = Record<string, unknown>>(statement: string, parameters?: unknown[]): Promise<Row[]>;
  drop(): Promise<void>;
}

export async function createOwnedDatabase(engine: TestEngine): Promise<OwnedDatabase> {
  const database = await createTestDatabase(engine);
  const suffix = randomBytes(4).toString('hex');
  const owner = `rowhouse_test_owner_${suffix}`;
  const role = `rowhouse_test_app_${suffix}`;
  const entities = { entities: [], discovery: { warnWhenNoEntities: false } };
  const orm = await MikroORM.init<AbstractSqlDriver>(ormOptions(database.url, entities, { max: 1 }));
  const sql = <Row>(statement: string, parameters: unknown[] = []) =>
    (orm.em.fork() as SqlEntityManager).execute<Row[]>(statement, parameters);
  await sql(`create role ${owner} login createrole password '${suffix}'`);
  await sql(`alter database ${database.name} owner to ${owner}`);
  await sql(`alter schema public owner to ${owner}`);
  const url = new URL(database.url);
  url.username = owner;
  url.password = suffix;
  return {
    url: url.href,
    role,
    sql,
    async drop() {
      await orm.close(true);
      await database.drop();
      const server = await MikroORM.init<AbstractSqlDriver>(ormOptions(engine.serverUrl, entities));
      await (server.em.fork() as SqlEntityManager).execute(`drop role if exists ${role}, ${owner}`);
      await server.close(true);
    },
  };
}
