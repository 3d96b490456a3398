import type { AbstractSqlConnection } from '@mikro-orm/sql';
import type { EngineName } from '#libs/persistence';
import type { IsolationCase } from '../isolation-case.js';
import { type Attempt, tableOf } from '../isolation-world.js';

interface NativeClients {
  readonly sqlite: { prepare(sql: string): { all(): unknown } };
  readonly pool: { query(sql: string): Promise<unknown> };
  readonly mysql: { promise(): { query(sql: string): Promise<unknown> } };
}

const connectionOf = ({ em }: Attempt) => em.getConnection() as AbstractSqlConnection;

function queryNatively(engine: EngineName, client: unknown, sql: string): unknown {
  if (engine === 'sqlite') return (client as NativeClients['sqlite']).prepare(sql).all();
  if (engine === 'postgresql') return (client as NativeClients['pool']).query(sql);
  return (client as NativeClients['mysql']).promise().query(sql);
}

const SESSION: Readonly<Record<EngineName, string>> = {
  sqlite: 'pragma case_sensitive_like = 1',
  postgresql: 'set search_path = public',
  mysql: "set sql_mode = ''",
  mariadb: "set sql_mode = ''",
};

/** What lies beside the one way that all statements take, and statements that change the way itself. */
export function byPassesOf(engine: EngineName): readonly IsolationCase[] {
  const cases: IsolationCase[] = [
    {
      title: 'the native client',
      closedBy: ['statements'],
      refusedForAll: true,
      attempt: async (it) =>
        queryNatively(
          engine,
          await connectionOf(it).getNativeClient(),
          `select * from ${tableOf(it.em, 'tag')} where id = '${it.target.tag}'`,
        ),
    },
    {
      title: 'a setting of the session',
      closedBy: ['statements'],
      refusedForAll: true,
      attempt: ({ em }) => em.execute(SESSION[engine]).then(() => 'set'),
      hasReached: (result) => result === 'set',
    },
    {
      title: 'several statements as a dump',
      closedBy: ['statements'],
      refusedForAll: true,
      attempt: (it) =>
        connectionOf(it).executeDump(`delete from ${tableOf(it.em, 'order_line')} where id = '${it.target.line}'`),
    },
    {
      title: 'a change of the tables',
      closedBy: ['statements'],
      refusedForAll: true,
      attempt: async ({ em, target }) => {
        const table = tableOf(em, `copy_${target.tag.replaceAll('-', '')}`);
        await em.execute(`create table ${table} as select * from ${tableOf(em, 'tag')}`);
        await em.execute(`drop table ${table}`);
        return 'copied';
      },
      hasReached: (result) => result === 'copied',
    },
  ];
  if (engine !== 'sqlite') return cases;
  return [
    ...cases,
    {
      title: 'the database handle in a field',
      closedBy: ['statements'],
      refusedForAll: true,
      attempt: (it) => {
        const { database } = connectionOf(it) as unknown as { database: NativeClients['sqlite'] };
        return database.prepare(`select * from tag where id = '${it.target.tag}'`).all();
      },
    },
  ];
}
