import Database from 'better-sqlite3';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import type { EngineName } from '#libs/persistence';

/** Reads one product, all four of its tables, with a driver, a prepared statement and nothing else. */
export interface RawReader {
  read(tenantId: string, id: string): Promise<object | undefined> | object | undefined;
  close(): Promise<void> | void;
}

const SQL = `select p.*, b.isbn, e.warranty_months, d.download_size_kb from product p
  left join book b on b.tenant_id = p.tenant_id and b.id = p.id
  left join electronic e on e.tenant_id = p.tenant_id and e.id = p.id
  left join digital_product d on d.tenant_id = p.tenant_id and d.id = p.id
  where p.tenant_id = ? and p.id = ?`;

/** The statement, with placeholders as the engine has them. */
export function rawSqlFor(engine: EngineName): string {
  let number = 0;
  return engine === 'postgresql' ? SQL.replaceAll('?', () => `$${++number}`) : SQL;
}

function openSqlite(url: string): RawReader {
  const database = new Database(url.replace('sqlite:', ''));
  const statement = database.prepare<[string, string], object>(SQL);
  return {
    read: (tenantId, id) => statement.get(tenantId, id),
    close: () => {
      database.close();
    },
  };
}

async function openPostgresql(url: string): Promise<RawReader> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const text = rawSqlFor('postgresql');
  return {
    read: async (...values) => (await client.query({ name: 'product', text, values })).rows[0],
    close: () => client.end(),
  };
}

async function openMysql(url: string): Promise<RawReader> {
  const connection = await createConnection(url.replace(/^mariadb:/, 'mysql:'));
  return {
    read: async (...values) => {
      const [rows] = await connection.execute(SQL, values);
      return (rows as object[])[0];
    },
    close: () => connection.end(),
  };
}

/** The driver of an engine, on a connection of its own. mariadb and mysql: mysql2, on either server. */
export function openRawReader(engine: EngineName, url: string): Promise<RawReader> | RawReader {
  if (engine === 'sqlite') return openSqlite(url);
  return engine === 'postgresql' ? openPostgresql(url) : openMysql(url);
}
