import Database from 'better-sqlite3';
import { createConnection } from 'mysql2';
import { Client } from 'pg';
import type { EngineName } from '#libs/persistence';

/** Reads all rows of a statement with a driver's cursor and nothing else. */
export interface RawCursor {
  rows(sql: string): AsyncIterable<object> | Iterable<object>;
  close(): Promise<void> | void;
}

const FETCHED = 2_000;

function openSqlite(url: string): RawCursor {
  const database = new Database(url.replace('sqlite:', ''));
  return {
    rows: (sql) => database.prepare<[], object>(sql).iterate(),
    close: () => {
      database.close();
    },
  };
}

async function openPostgresql(url: string): Promise<RawCursor> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return {
    async *rows(sql) {
      await client.query('begin');
      await client.query(`declare bench no scroll cursor for ${sql}`);
      for (;;) {
        const { rows } = await client.query(`fetch ${FETCHED} from bench`);
        if (rows.length === 0) break;
        for (const row of rows) yield row;
      }
      await client.query('commit');
    },
    close: () => client.end(),
  };
}

function openMysql(url: string): RawCursor {
  const connection = createConnection({ uri: url.replace('mariadb:', 'mysql:'), charset: 'utf8mb4', timezone: 'Z' });
  return {
    rows: (sql) => connection.query(sql).stream({ highWaterMark: FETCHED }),
    close: () => connection.promise().end(),
  };
}

/** The driver of an engine, on a connection of its own. */
export function openRawCursor(engine: EngineName, url: string): Promise<RawCursor> | RawCursor {
  if (engine === 'sqlite') return openSqlite(url);
  return engine === 'postgresql' ? openPostgresql(url) : openMysql(url);
}
