import { databaseNameOf, onSameServer, type PlaceDialect } from './place-dialect.js';

/** What PostgreSQL says of a database that is there already. */
const DUPLICATE_DATABASE = '42P04';

/** PostgreSQL: all four ways. */
export const postgresqlPlaceDialect: PlaceDialect = {
  schemas: {
    create: (name) => `create schema if not exists "${name}"`,
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
      if ((error as { code?: unknown }).code !== DUPLICATE_DATABASE) throw error;
    }
  },
  async dropDatabase(databaseUrl, send) {
    await send(`drop database if exists "${databaseNameOf(databaseUrl)}" with (force)`);
  },
  mustExist: {},
  // About 14 KB a table: at most some 50 MB a connection for units of work that touch seven tables, each of another tenant.
  recycleConnections: { maxUses: 500 },
};
