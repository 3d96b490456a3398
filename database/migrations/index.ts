import type { MigrationObject } from '@mikro-orm/core';
import type { EngineName } from '#libs/persistence';
import { Migration20261120090000Initial as CentralInitialOnMariadb } from './central/mariadb/migration-20261120090000-initial.js';
import { Migration20261120120000Invitations as InvitationsOnMariadb } from './central/mariadb/migration-20261120120000-invitations.js';
import { Migration20261120121000ApiKeys as ApiKeysOnMariadb } from './central/mariadb/migration-20261120121000-api-keys.js';
import { Migration20261120090000Initial as CentralInitialOnMysql } from './central/mysql/migration-20261120090000-initial.js';
import { Migration20261120120000Invitations as InvitationsOnMysql } from './central/mysql/migration-20261120120000-invitations.js';
import { Migration20261120121000ApiKeys as ApiKeysOnMysql } from './central/mysql/migration-20261120121000-api-keys.js';
import { Migration20261120090000Initial as CentralInitialOnPostgresql } from './central/postgresql/migration-20261120090000-initial.js';
import { Migration20261120120000Invitations as InvitationsOnPostgresql } from './central/postgresql/migration-20261120120000-invitations.js';
import { Migration20261120121000ApiKeys as ApiKeysOnPostgresql } from './central/postgresql/migration-20261120121000-api-keys.js';
import { Migration20261120090000Initial as CentralInitialOnSqlite } from './central/sqlite/migration-20261120090000-initial.js';
import { Migration20261120120000Invitations as InvitationsOnSqlite } from './central/sqlite/migration-20261120120000-invitations.js';
import { Migration20261120121000ApiKeys as ApiKeysOnSqlite } from './central/sqlite/migration-20261120121000-api-keys.js';
import { Migration20261120090000Initial as TenantInitialOnMariadb } from './tenant/mariadb/migration-20261120090000-initial.js';
import { Migration20261120090000Initial as TenantInitialOnMysql } from './tenant/mysql/migration-20261120090000-initial.js';
import { Migration20261120090000Initial as TenantInitialOnPostgresql } from './tenant/postgresql/migration-20261120090000-initial.js';
import { Migration20261120090000Initial as TenantInitialOnSqlite } from './tenant/sqlite/migration-20261120090000-initial.js';

/** The central database has one set of migrations, databases that hold tenants' rows the other. */
export type MigrationSet = 'central' | 'tenant';

const initial = (migration: MigrationObject['class']): MigrationObject => ({
  name: 'Migration20261120090000Initial',
  class: migration,
});

const invitations = (migration: MigrationObject['class']): MigrationObject => ({
  name: 'Migration20261120120000Invitations',
  class: migration,
});

const apiKeys = (migration: MigrationObject['class']): MigrationObject => ({
  name: 'Migration20261120121000ApiKeys',
  class: migration,
});

/** Listed rather than found by file name, so that a build, a bundle and a test all run the same ones. */
const migrations: Readonly<Record<MigrationSet, Readonly<Record<EngineName, readonly MigrationObject[]>>>> = {
  central: {
    mariadb: [initial(CentralInitialOnMariadb), invitations(InvitationsOnMariadb), apiKeys(ApiKeysOnMariadb)],
    mysql: [initial(CentralInitialOnMysql), invitations(InvitationsOnMysql), apiKeys(ApiKeysOnMysql)],
    postgresql: [
      initial(CentralInitialOnPostgresql),
      invitations(InvitationsOnPostgresql),
      apiKeys(ApiKeysOnPostgresql),
    ],
    sqlite: [initial(CentralInitialOnSqlite), invitations(InvitationsOnSqlite), apiKeys(ApiKeysOnSqlite)],
  },
  tenant: {
    mariadb: [initial(TenantInitialOnMariadb)],
    mysql: [initial(TenantInitialOnMysql)],
    postgresql: [initial(TenantInitialOnPostgresql)],
    sqlite: [initial(TenantInitialOnSqlite)],
  },
};

/** The migrations of one set on one engine, oldest first. */
export function migrationsOf(set: MigrationSet, engine: EngineName): MigrationObject[] {
  return [...migrations[set][engine]];
}
