import Database from 'better-sqlite3';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import type { EngineName } from '#libs/persistence';
import type { RawRows, RawTable, RawValues } from './raw-tables.js';

/** Writes rows with a driver and nothing else, in one transaction. */
export interface RawWriter {
  readonly values: RawValues;
  /** By name, the first is what people reach for when they want speed. */
  readonly ways: Readonly<Record<string, (tables: readonly RawRows[]) => Promise<void> | void>>;
  execute(sql: string): Promise<unknown> | unknown;
  close(): Promise<void> | void;
}

const list = (items: readonly string[]) => items.join(', ');
const tuple = (columns: readonly string[]) => `(${list(columns.map(() => '?'))})`;
const insertInto = ({ name, columns }: RawTable) => `insert into ${name} (${list(columns)}) values`;

function openSqlite(url: string): RawWriter {
  const database = new Database(url.replace('sqlite:', ''));
  // As the ORM's connection: a commit is durable, foreign keys are checked.
  for (const pragma of ['journal_mode = wal', 'synchronous = full', 'foreign_keys = on']) database.pragma(pragma);
  const inTransaction = (work: (tables: readonly RawRows[]) => void) => database.transaction(work);
  const multiRow = (tables: readonly RawRows[]) => {
    for (const { table, rows } of tables) {
      const size = 100;
      const statement = database.prepare(
        `${insertInto(table)} ${list(Array.from({ length: size }, () => tuple(table.columns)))}`,
      );
      const single = database.prepare(`${insertInto(table)} ${tuple(table.columns)}`);
      const whole = rows.length - (rows.length % size);
      for (let from = 0; from < whole; from += size) statement.run(rows.slice(from, from + size).flat());
      for (const row of rows.slice(whole)) single.run(row);
    }
  };
  const loop = (tables: readonly RawRows[]) => {
    for (const { table, rows } of tables) {
      const statement = database.prepare(`${insertInto(table)} ${tuple(table.columns)}`);
      for (const row of rows) statement.run(row);
    }
  };
  return {
    values: { no: 0, now: () => Date.now() },
    ways: { 'multi-row statement, kept': inTransaction(multiRow), 'prepared loop': inTransaction(loop) },
    execute: (sql) => database.exec(sql),
    close: () => {
      database.close();
    },
  };
}

async function openPostgresql(url: string): Promise<RawWriter> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const inTransaction = (work: (tables: readonly RawRows[]) => Promise<void>) => async (tables: readonly RawRows[]) => {
    await client.query('begin');
    await work(tables);
    await client.query('commit');
  };
  const multiRow = inTransaction(async (tables) => {
    for (const { table, rows } of tables) {
      const width = table.columns.length;
      for (let from = 0; from < rows.length; from += 1000) {
        const part = rows.slice(from, from + 1000);
        const tuples = part.map((_, r) => `(${list(table.columns.map((_, c) => `$${r * width + c + 1}`))})`);
        await client.query(`${insertInto(table)} ${list(tuples)}`, part.flat());
      }
    }
  });
  return {
    values: { no: false, now: () => new Date() },
    ways: { 'multi-row statement': multiRow },
    execute: (sql) => client.query(sql),
    close: () => client.end(),
  };
}

async function openMysql(url: string): Promise<RawWriter> {
  const connection = await createConnection({
    uri: url.replace('mariadb:', 'mysql:'),
    charset: 'utf8mb4',
    timezone: 'Z',
  });
  return {
    values: { no: false, now: () => new Date() },
    ways: {
      async 'multi-row statement'(tables) {
        await connection.beginTransaction();
        for (const { table, rows } of tables) {
          for (let from = 0; from < rows.length; from += 1000)
            await connection.query(`${insertInto(table)} ?`, [rows.slice(from, from + 1000)]);
        }
        await connection.commit();
      },
    },
    execute: (sql) => connection.query(sql),
    close: () => connection.end(),
  };
}

/** The bare driver of an engine, on a connection of its own. */
export async function openRawWriter(engine: EngineName, url: string): Promise<RawWriter> {
  if (engine === 'sqlite') return openSqlite(url);
  return engine === 'postgresql' ? openPostgresql(url) : openMysql(url);
}
