import { databaseNameOf, type FoundPlace, onSameServer, type PlaceDialect } from './place-dialect.js';

const create = (name: string) => `create database if not exists \`${name}\` character set utf8mb4`;
const drop = (name: string) => `drop database if exists \`${name}\``;

/** MySQL and MariaDB: what others call a schema is a database here. */
export const mysqlPlaceDialect: PlaceDialect = {
  schemas: {
    create,
    find: (name) => `select 1 from information_schema.schemata where schema_name = '${name}'`,
    drop,
    inside: (url, name) => ({ url: onSameServer(url, name), options: {} }),
  },
  hasSearchPath: false,
  databaseUrl: onSameServer,
  async createDatabase(databaseUrl, send) {
    await send(create(databaseNameOf(databaseUrl)));
  },
  async dropDatabase(databaseUrl, send) {
    await send(drop(databaseNameOf(databaseUrl)));
  },
  async listPlaces(_url, send) {
    const sql = `select 'database' as kind, schema_name as name from information_schema.schemata where left(schema_name, 7) = 'tenant_' order by 2`;
    return (await send(sql)) as FoundPlace[];
  },
  // Those with a default that is an expression are DEFAULT_GENERATED on MySQL.
  listColumns: (schema) => `select c.table_name as tableName, c.column_name as columnName
    from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
    where table_schema = ${schema === undefined ? 'database()' : `'${schema}'`} and table_type = 'BASE TABLE' and extra not like '% GENERATED'`,
  mustExist: {},
  // What is known of tables is the server's, shared by all connections and bounded.
  recycleConnections: {},
};
