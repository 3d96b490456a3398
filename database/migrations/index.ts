import type { MigrationObject } from '@mikro-orm/core';
import type { EngineName } from '#libs/persistence';
import { Migration20261120090000Initial as CentralInitialOnMariadb } from './central/mariadb/migration-20261120090000-initial.js';
import { Migration20261120120000Invitations as CentralInvitationsOnMariadb } from './central/mariadb/migration-20261120120000-invitations.js';
import { Migration20261120121000ApiKeys as CentralApiKeysOnMariadb } from './central/mariadb/migration-20261120121000-api-keys.js';
import { Migration20261125130000TextByBytes as CentralTextByBytesOnMariadb } from './central/mariadb/migration-20261125130000-text-by-bytes.js';
import { Migration20261125140000ErasedSubjectKeys as CentralErasedSubjectKeysOnMariadb } from './central/mariadb/migration-20261125140000-erased-subject-keys.js';
import { Migration20261125150000Resolvers as CentralResolversOnMariadb } from './central/mariadb/migration-20261125150000-resolvers.js';
import { Migration20261125170000Slots as CentralSlotsOnMariadb } from './central/mariadb/migration-20261125170000-slots.js';
import { Migration20261120090000Initial as CentralInitialOnMysql } from './central/mysql/migration-20261120090000-initial.js';
import { Migration20261120120000Invitations as CentralInvitationsOnMysql } from './central/mysql/migration-20261120120000-invitations.js';
import { Migration20261120121000ApiKeys as CentralApiKeysOnMysql } from './central/mysql/migration-20261120121000-api-keys.js';
import { Migration20261125130000TextByBytes as CentralTextByBytesOnMysql } from './central/mysql/migration-20261125130000-text-by-bytes.js';
import { Migration20261125140000ErasedSubjectKeys as CentralErasedSubjectKeysOnMysql } from './central/mysql/migration-20261125140000-erased-subject-keys.js';
import { Migration20261125150000Resolvers as CentralResolversOnMysql } from './central/mysql/migration-20261125150000-resolvers.js';
import { Migration20261125170000Slots as CentralSlotsOnMysql } from './central/mysql/migration-20261125170000-slots.js';
import { Migration20261120090000Initial as CentralInitialOnPostgresql } from './central/postgresql/migration-20261120090000-initial.js';
import { Migration20261120120000Invitations as CentralInvitationsOnPostgresql } from './central/postgresql/migration-20261120120000-invitations.js';
import { Migration20261120121000ApiKeys as CentralApiKeysOnPostgresql } from './central/postgresql/migration-20261120121000-api-keys.js';
import { Migration20261125140000ErasedSubjectKeys as CentralErasedSubjectKeysOnPostgresql } from './central/postgresql/migration-20261125140000-erased-subject-keys.js';
import { Migration20261125150000Resolvers as CentralResolversOnPostgresql } from './central/postgresql/migration-20261125150000-resolvers.js';
import { Migration20261125170000Slots as CentralSlotsOnPostgresql } from './central/postgresql/migration-20261125170000-slots.js';
import { Migration20261120090000Initial as CentralInitialOnSqlite } from './central/sqlite/migration-20261120090000-initial.js';
import { Migration20261120120000Invitations as CentralInvitationsOnSqlite } from './central/sqlite/migration-20261120120000-invitations.js';
import { Migration20261120121000ApiKeys as CentralApiKeysOnSqlite } from './central/sqlite/migration-20261120121000-api-keys.js';
import { Migration20261125140000ErasedSubjectKeys as CentralErasedSubjectKeysOnSqlite } from './central/sqlite/migration-20261125140000-erased-subject-keys.js';
import { Migration20261125150000Resolvers as CentralResolversOnSqlite } from './central/sqlite/migration-20261125150000-resolvers.js';
import { Migration20261125170000Slots as CentralSlotsOnSqlite } from './central/sqlite/migration-20261125170000-slots.js';
import { Migration20261120090000Initial as TenantInitialOnMariadb } from './tenant/mariadb/migration-20261120090000-initial.js';
import { Migration20261120110000Shop as TenantShopOnMariadb } from './tenant/mariadb/migration-20261120110000-shop.js';
import { Migration20261120122000IdempotencyRecords as TenantIdempotencyRecordsOnMariadb } from './tenant/mariadb/migration-20261120122000-idempotency-records.js';
import { Migration20261125130000TextByBytes as TenantTextByBytesOnMariadb } from './tenant/mariadb/migration-20261125130000-text-by-bytes.js';
import { Migration20261125140000SealedTrail as TenantSealedTrailOnMariadb } from './tenant/mariadb/migration-20261125140000-sealed-trail.js';
import { Migration20261125160000Catalogue as TenantCatalogueOnMariadb } from './tenant/mariadb/migration-20261125160000-catalogue.js';
import { Migration20261120090000Initial as TenantInitialOnMysql } from './tenant/mysql/migration-20261120090000-initial.js';
import { Migration20261120110000Shop as TenantShopOnMysql } from './tenant/mysql/migration-20261120110000-shop.js';
import { Migration20261120122000IdempotencyRecords as TenantIdempotencyRecordsOnMysql } from './tenant/mysql/migration-20261120122000-idempotency-records.js';
import { Migration20261125130000TextByBytes as TenantTextByBytesOnMysql } from './tenant/mysql/migration-20261125130000-text-by-bytes.js';
import { Migration20261125140000SealedTrail as TenantSealedTrailOnMysql } from './tenant/mysql/migration-20261125140000-sealed-trail.js';
import { Migration20261125160000Catalogue as TenantCatalogueOnMysql } from './tenant/mysql/migration-20261125160000-catalogue.js';
import { Migration20261120090000Initial as TenantInitialOnPostgresql } from './tenant/postgresql/migration-20261120090000-initial.js';
import { Migration20261120110000Shop as TenantShopOnPostgresql } from './tenant/postgresql/migration-20261120110000-shop.js';
import { Migration20261120122000IdempotencyRecords as TenantIdempotencyRecordsOnPostgresql } from './tenant/postgresql/migration-20261120122000-idempotency-records.js';
import { Migration20261125131500RowSecurity as TenantRowSecurityOnPostgresql } from './tenant/postgresql/migration-20261125131500-row-security.js';
import { Migration20261125140000SealedTrail as TenantSealedTrailOnPostgresql } from './tenant/postgresql/migration-20261125140000-sealed-trail.js';
import { Migration20261125160000Catalogue as TenantCatalogueOnPostgresql } from './tenant/postgresql/migration-20261125160000-catalogue.js';
import { Migration20261120090000Initial as TenantInitialOnSqlite } from './tenant/sqlite/migration-20261120090000-initial.js';
import { Migration20261120110000Shop as TenantShopOnSqlite } from './tenant/sqlite/migration-20261120110000-shop.js';
import { Migration20261120122000IdempotencyRecords as TenantIdempotencyRecordsOnSqlite } from './tenant/sqlite/migration-20261120122000-idempotency-records.js';
import { Migration20261125140000SealedTrail as TenantSealedTrailOnSqlite } from './tenant/sqlite/migration-20261125140000-sealed-trail.js';
import { Migration20261125160000Catalogue as TenantCatalogueOnSqlite } from './tenant/sqlite/migration-20261125160000-catalogue.js';

export { compareTextByBytes, TABLES_BEFORE } from './compare-text-by-bytes.js';

/** The central database has one set of migrations, databases that hold tenants' rows the other. */
export type MigrationSet = 'central' | 'tenant';

/** A migration is known by the name of its class. */
function listed(...migrations: MigrationObject['class'][]): readonly MigrationObject[] {
  return migrations.map((migration) => ({ name: migration.name, class: migration }));
}

/** Listed rather than found by file name, so that a build, a bundle and a test all run the same ones. Oldest first. */
const migrations: Readonly<Record<MigrationSet, Readonly<Record<EngineName, readonly MigrationObject[]>>>> = {
  central: {
    mariadb: listed(
      CentralInitialOnMariadb,
      CentralInvitationsOnMariadb,
      CentralApiKeysOnMariadb,
      CentralTextByBytesOnMariadb,
      CentralErasedSubjectKeysOnMariadb,
      CentralResolversOnMariadb,
      CentralSlotsOnMariadb,
    ),
    mysql: listed(
      CentralInitialOnMysql,
      CentralInvitationsOnMysql,
      CentralApiKeysOnMysql,
      CentralTextByBytesOnMysql,
      CentralErasedSubjectKeysOnMysql,
      CentralResolversOnMysql,
      CentralSlotsOnMysql,
    ),
    postgresql: listed(
      CentralInitialOnPostgresql,
      CentralInvitationsOnPostgresql,
      CentralApiKeysOnPostgresql,
      CentralErasedSubjectKeysOnPostgresql,
      CentralResolversOnPostgresql,
      CentralSlotsOnPostgresql,
    ),
    sqlite: listed(
      CentralInitialOnSqlite,
      CentralInvitationsOnSqlite,
      CentralApiKeysOnSqlite,
      CentralErasedSubjectKeysOnSqlite,
      CentralResolversOnSqlite,
      CentralSlotsOnSqlite,
    ),
  },
  tenant: {
    mariadb: listed(
      TenantInitialOnMariadb,
      TenantShopOnMariadb,
      TenantIdempotencyRecordsOnMariadb,
      TenantTextByBytesOnMariadb,
      TenantSealedTrailOnMariadb,
      TenantCatalogueOnMariadb,
    ),
    mysql: listed(
      TenantInitialOnMysql,
      TenantShopOnMysql,
      TenantIdempotencyRecordsOnMysql,
      TenantTextByBytesOnMysql,
      TenantSealedTrailOnMysql,
      TenantCatalogueOnMysql,
    ),
    postgresql: listed(
      TenantInitialOnPostgresql,
      TenantShopOnPostgresql,
      TenantIdempotencyRecordsOnPostgresql,
      TenantRowSecurityOnPostgresql,
      TenantSealedTrailOnPostgresql,
      TenantCatalogueOnPostgresql,
    ),
    sqlite: listed(
      TenantInitialOnSqlite,
      TenantShopOnSqlite,
      TenantIdempotencyRecordsOnSqlite,
      TenantSealedTrailOnSqlite,
      TenantCatalogueOnSqlite,
    ),
  },
};

/** The migrations of one set on one engine, oldest first. */
export function migrationsOf(set: MigrationSet, engine: EngineName): MigrationObject[] {
  return [...migrations[set][engine]];
}
