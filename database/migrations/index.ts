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
import { Migration20261120110000Shop as TenantShopOnMariadb } from './tenant/mariadb/migration-20261120110000-shop.js';
import { Migration20261120090000Initial as TenantInitialOnMysql } from './tenant/mysql/migration-20261120090000-initial.js';
import { Migration20261120110000Shop as TenantShopOnMysql } from './tenant/mysql/migration-20261120110000-shop.js';
import { Migration20261120090000Initial as TenantInitialOnPostgresql } from './tenant/postgresql/migration-20261120090000-initial.js';
import { Migration20261120110000Shop as TenantShopOnPostgresql } from './tenant/postgresql/migration-20261120110000-shop.js';
import { Migration20261120090000Initial as TenantInitialOnSqlite } from './tenant/sqlite/migration-20261120090000-initial.js';
import { Migration20261120110000Shop as TenantShopOnSqlite } from './tenant/sqlite/migration-20261120110000-shop.js';
import { Migration20261120122000IdempotencyRecords as IdempotencyRecordsOnMariadb } from './tenant/mariadb/migration-20261120122000-idempotency-records.js';
import { Migration20261120090000Initial as TenantInitialOnMysql } from './tenant/mysql/migration-20261120090000-initial.js';
import { Migration20261120122000IdempotencyRecords as IdempotencyRecordsOnMysql } from './tenant/mysql/migration-20261120122000-idempotency-records.js';
import { Migration20261120090000Initial as TenantInitialOnPostgresql } from './tenant/postgresql/migration-20261120090000-initial.js';
import { Migration20261120122000IdempotencyRecords as IdempotencyRecordsOnPostgresql } from './tenant/postgresql/migration-20261120122000-idempotency-records.js';
import { Migration20261120090000Initial as TenantInitialOnSqlite } from './tenant/sqlite/migration-20261120090000-initial.js';
import { Migration20261120122000IdempotencyRecords as IdempotencyRecordsOnSqlite } from './tenant/sqlite/migration-20261120122000-idempotency-records.js';

/** The central database has one set of migrations, databases that hold tenants' rows the other. */
export type MigrationSet = 'central' | 'tenant';

/** A migration is known by the name of its class. */
function listed(...migrations: MigrationObject['class'][]): readonly MigrationObject[] {
  return migrations.map((migration) => ({ name: migration.name, class: migration }));
}

/** Listed rather than found by file name, so that a build, a bundle and a test all run the same ones. Oldest first. */
const invitations = (migration: MigrationObject['class']): MigrationObject => ({
  name: 'Migration20261120120000Invitations',
  class: migration,
});

const apiKeys = (migration: MigrationObject['class']): MigrationObject => ({
  name: 'Migration20261120121000ApiKeys',
  class: migration,
});

const idempotencyRecords = (migration: MigrationObject['class']): MigrationObject => ({
  name: 'Migration20261120122000IdempotencyRecords',
  class: migration,
});

/** Listed rather than found by file name, so that a build, a bundle and a test all run the same ones. */
const migrations: Readonly<Record<MigrationSet, Readonly<Record<EngineName, readonly MigrationObject[]>>>> = {
  central: {
    mariadb: listed(CentralInitialOnMariadb, InvitationsOnMariadb, ApiKeysOnMariadb),
    mysql: listed(CentralInitialOnMysql, InvitationsOnMysql, ApiKeysOnMysql),
    postgresql: listed(CentralInitialOnPostgresql, InvitationsOnPostgresql, ApiKeysOnPostgresql),
    sqlite: listed(CentralInitialOnSqlite, InvitationsOnSqlite, ApiKeysOnSqlite),
  },
  tenant: {
    mariadb: listed(TenantInitialOnMariadb, TenantShopOnMariadb),
    mysql: listed(TenantInitialOnMysql, TenantShopOnMysql),
    postgresql: listed(TenantInitialOnPostgresql, TenantShopOnPostgresql),
    sqlite: listed(TenantInitialOnSqlite, TenantShopOnSqlite),
    mariadb: [initial(TenantInitialOnMariadb), idempotencyRecords(IdempotencyRecordsOnMariadb)],
    mysql: [initial(TenantInitialOnMysql), idempotencyRecords(IdempotencyRecordsOnMysql)],
    postgresql: [initial(TenantInitialOnPostgresql), idempotencyRecords(IdempotencyRecordsOnPostgresql)],
    sqlite: [initial(TenantInitialOnSqlite), idempotencyRecords(IdempotencyRecordsOnSqlite)],
  },
};

/** The migrations of one set on one engine, oldest first. */
export function migrationsOf(set: MigrationSet, engine: EngineName): MigrationObject[] {
  return [...migrations[set][engine]];
}
