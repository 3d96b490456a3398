import { databaseNameOf, type FoundPlace, onSameServer, type PlaceDialect } from './place-dialect.js';

/** What PostgreSQL says of a database that is there already. */
const DUPLICATE_DATABASE = '42P04';

const DUPLICATE_SCHEMA = '42P06';

const codeOf = (error: unknown) => (error as { code?: unknown }).code;

/** PostgreSQL: all four ways. */
export const postgresqlPlaceDialect: PlaceDialect = {
  schemas: {
    create: (name) => `create schema if not exists "${name}"`,
    async createFilled(name, statements, send) {
      // One text is one transaction; what is set locally ends with it.
      const inside = [`create schema "${name}"`, `set local search_path = "${name}", pg_temp`, ...statements];
      try {
        await send(inside.join(';\n'));
        return true;
      } catch (error) {
        if (codeOf(error) === DUPLICATE_SCHEMA) return false;
        throw error;
      }
    },
    find: (name) => `select 1 from pg_namespace where nspname = '${name}'`,
    drop: (name) => `drop schema if exists "${name}" cascade`,
    // Given when the connection opens, so that this is what "reset search_path" goes back to.
    inside: (url, name) => ({
      url,
      options: { schema: name, driverOptions: { options: `-c search_path=${name},pg_temp` } },
    }),
  },
  hasSearchPath: true,
  databaseUrl: onSameServer,
  async createDatabase(databaseUrl, send) {
    try {
      await send(`create database "${databaseNameOf(databaseUrl)}"`);
    } catch (error) {
      // There is no "if not exists" for databases.
      if (codeOf(error) !== DUPLICATE_DATABASE) throw error;
    }
  },
  async dropDatabase(databaseUrl, send) {
    await send(`drop database if exists "${databaseNameOf(databaseUrl)}" with (force)`);
  },
  async listPlaces(_url, send) {
    const sql = `select 'schema' as kind, nspname as name from pg_namespace where nspname like 'tenant\\_%'
      union all select 'database', datname from pg_database where datname like 'tenant\\_%' order by 1, 2`;
    return (await send(sql)) as FoundPlace[];
  },
  listColumns: (schema) => `select c.table_name as "tableName", c.column_name as "columnName"
    from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
    where table_schema = ${schema === undefined ? 'current_schema()' : `'${schema}'`} and table_type = 'BASE TABLE' and is_generated = 'NEVER'`,
  mustExist: {},
  // About 14 KB a table: at most some 50 MB a connection for units of work that touch seven tables, each of another tenant.
  recycleConnections: { maxUses: 500 },
};
