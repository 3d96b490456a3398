// Written by "npm run rowhouse -- db make", from the files beside it.
import type { MigrationObject } from '@mikro-orm/core';
import type { EngineName } from '#libs/persistence';
import { Migration20261120090000Initial as Central20261120090000InitialOnMariadb } from './central/mariadb/migration-20261120090000-initial.js';
import { Migration20261120120000Invitations as Central20261120120000InvitationsOnMariadb } from './central/mariadb/migration-20261120120000-invitations.js';
import { Migration20261120121000ApiKeys as Central20261120121000ApiKeysOnMariadb } from './central/mariadb/migration-20261120121000-api-keys.js';
import { Migration20261125130000TextByBytes as Central20261125130000TextByBytesOnMariadb } from './central/mariadb/migration-20261125130000-text-by-bytes.js';
import { Migration20261125140000ErasedSubjectKeys as Central20261125140000ErasedSubjectKeysOnMariadb } from './central/mariadb/migration-20261125140000-erased-subject-keys.js';
import { Migration20261125150000Resolvers as Central20261125150000ResolversOnMariadb } from './central/mariadb/migration-20261125150000-resolvers.js';
import { Migration20261125170000Slots as Central20261125170000SlotsOnMariadb } from './central/mariadb/migration-20261125170000-slots.js';
import { Migration20261125190000PlacementMoves as Central20261125190000PlacementMovesOnMariadb } from './central/mariadb/migration-20261125190000-placement-moves.js';
import { Migration20261125210000MoveClaims as Central20261125210000MoveClaimsOnMariadb } from './central/mariadb/migration-20261125210000-move-claims.js';
import { Migration20261120090000Initial as Central20261120090000InitialOnMysql } from './central/mysql/migration-20261120090000-initial.js';
import { Migration20261120120000Invitations as Central20261120120000InvitationsOnMysql } from './central/mysql/migration-20261120120000-invitations.js';
import { Migration20261120121000ApiKeys as Central20261120121000ApiKeysOnMysql } from './central/mysql/migration-20261120121000-api-keys.js';
import { Migration20261125130000TextByBytes as Central20261125130000TextByBytesOnMysql } from './central/mysql/migration-20261125130000-text-by-bytes.js';
import { Migration20261125140000ErasedSubjectKeys as Central20261125140000ErasedSubjectKeysOnMysql } from './central/mysql/migration-20261125140000-erased-subject-keys.js';
import { Migration20261125150000Resolvers as Central20261125150000ResolversOnMysql } from './central/mysql/migration-20261125150000-resolvers.js';
import { Migration20261125170000Slots as Central20261125170000SlotsOnMysql } from './central/mysql/migration-20261125170000-slots.js';
import { Migration20261125190000PlacementMoves as Central20261125190000PlacementMovesOnMysql } from './central/mysql/migration-20261125190000-placement-moves.js';
import { Migration20261125210000MoveClaims as Central20261125210000MoveClaimsOnMysql } from './central/mysql/migration-20261125210000-move-claims.js';
import { Migration20261120090000Initial as Central20261120090000InitialOnPostgresql } from './central/postgresql/migration-20261120090000-initial.js';
import { Migration20261120120000Invitations as Central20261120120000InvitationsOnPostgresql } from './central/postgresql/migration-20261120120000-invitations.js';
import { Migration20261120121000ApiKeys as Central20261120121000ApiKeysOnPostgresql } from './central/postgresql/migration-20261120121000-api-keys.js';
import { Migration20261125140000ErasedSubjectKeys as Central20261125140000ErasedSubjectKeysOnPostgresql } from './central/postgresql/migration-20261125140000-erased-subject-keys.js';
import { Migration20261125150000Resolvers as Central20261125150000ResolversOnPostgresql } from './central/postgresql/migration-20261125150000-resolvers.js';
import { Migration20261125170000Slots as Central20261125170000SlotsOnPostgresql } from './central/postgresql/migration-20261125170000-slots.js';
import { Migration20261125190000PlacementMoves as Central20261125190000PlacementMovesOnPostgresql } from './central/postgresql/migration-20261125190000-placement-moves.js';
import { Migration20261125210000MoveClaims as Central20261125210000MoveClaimsOnPostgresql } from './central/postgresql/migration-20261125210000-move-claims.js';
import { Migration20261120090000Initial as Central20261120090000InitialOnSqlite } from './central/sqlite/migration-20261120090000-initial.js';
import { Migration20261120120000Invitations as Central20261120120000InvitationsOnSqlite } from './central/sqlite/migration-20261120120000-invitations.js';
import { Migration20261120121000ApiKeys as Central20261120121000ApiKeysOnSqlite } from './central/sqlite/migration-20261120121000-api-keys.js';
import { Migration20261125140000ErasedSubjectKeys as Central20261125140000ErasedSubjectKeysOnSqlite } from './central/sqlite/migration-20261125140000-erased-subject-keys.js';
import { Migration20261125150000Resolvers as Central20261125150000ResolversOnSqlite } from './central/sqlite/migration-20261125150000-resolvers.js';
import { Migration20261125170000Slots as Central20261125170000SlotsOnSqlite } from './central/sqlite/migration-20261125170000-slots.js';
import { Migration20261125190000PlacementMoves as Central20261125190000PlacementMovesOnSqlite } from './central/sqlite/migration-20261125190000-placement-moves.js';
import { Migration20261125210000MoveClaims as Central20261125210000MoveClaimsOnSqlite } from './central/sqlite/migration-20261125210000-move-claims.js';
import { type MigrationSet, migrationObjects } from './migration-set.js';
import { Migration20261120090000Initial as Tenant20261120090000InitialOnMariadb } from './tenant/mariadb/migration-20261120090000-initial.js';
import { Migration20261120110000Shop as Tenant20261120110000ShopOnMariadb } from './tenant/mariadb/migration-20261120110000-shop.js';
import { Migration20261120122000IdempotencyRecords as Tenant20261120122000IdempotencyRecordsOnMariadb } from './tenant/mariadb/migration-20261120122000-idempotency-records.js';
import { Migration20261125130000TextByBytes as Tenant20261125130000TextByBytesOnMariadb } from './tenant/mariadb/migration-20261125130000-text-by-bytes.js';
import { Migration20261125140000SealedTrail as Tenant20261125140000SealedTrailOnMariadb } from './tenant/mariadb/migration-20261125140000-sealed-trail.js';
import { Migration20261125160000Catalogue as Tenant20261125160000CatalogueOnMariadb } from './tenant/mariadb/migration-20261125160000-catalogue.js';
import { Migration20261125222306WorkProgress as Tenant20261125222306WorkProgressOnMariadb } from './tenant/mariadb/migration-20261125222306-work-progress.js';
import { Migration20261120090000Initial as Tenant20261120090000InitialOnMysql } from './tenant/mysql/migration-20261120090000-initial.js';
import { Migration20261120110000Shop as Tenant20261120110000ShopOnMysql } from './tenant/mysql/migration-20261120110000-shop.js';
import { Migration20261120122000IdempotencyRecords as Tenant20261120122000IdempotencyRecordsOnMysql } from './tenant/mysql/migration-20261120122000-idempotency-records.js';
import { Migration20261125130000TextByBytes as Tenant20261125130000TextByBytesOnMysql } from './tenant/mysql/migration-20261125130000-text-by-bytes.js';
import { Migration20261125140000SealedTrail as Tenant20261125140000SealedTrailOnMysql } from './tenant/mysql/migration-20261125140000-sealed-trail.js';
import { Migration20261125160000Catalogue as Tenant20261125160000CatalogueOnMysql } from './tenant/mysql/migration-20261125160000-catalogue.js';
import { Migration20261125222306WorkProgress as Tenant20261125222306WorkProgressOnMysql } from './tenant/mysql/migration-20261125222306-work-progress.js';
import { Migration20261120090000Initial as Tenant20261120090000InitialOnPostgresql } from './tenant/postgresql/migration-20261120090000-initial.js';
import { Migration20261120110000Shop as Tenant20261120110000ShopOnPostgresql } from './tenant/postgresql/migration-20261120110000-shop.js';
import { Migration20261120122000IdempotencyRecords as Tenant20261120122000IdempotencyRecordsOnPostgresql } from './tenant/postgresql/migration-20261120122000-idempotency-records.js';
import { Migration20261125131500RowSecurity as Tenant20261125131500RowSecurityOnPostgresql } from './tenant/postgresql/migration-20261125131500-row-security.js';
import { Migration20261125140000SealedTrail as Tenant20261125140000SealedTrailOnPostgresql } from './tenant/postgresql/migration-20261125140000-sealed-trail.js';
import { Migration20261125160000Catalogue as Tenant20261125160000CatalogueOnPostgresql } from './tenant/postgresql/migration-20261125160000-catalogue.js';
import { Migration20261125222306WorkProgress as Tenant20261125222306WorkProgressOnPostgresql } from './tenant/postgresql/migration-20261125222306-work-progress.js';
import { Migration20261120090000Initial as Tenant20261120090000InitialOnSqlite } from './tenant/sqlite/migration-20261120090000-initial.js';
import { Migration20261120110000Shop as Tenant20261120110000ShopOnSqlite } from './tenant/sqlite/migration-20261120110000-shop.js';
import { Migration20261120122000IdempotencyRecords as Tenant20261120122000IdempotencyRecordsOnSqlite } from './tenant/sqlite/migration-20261120122000-idempotency-records.js';
import { Migration20261125140000SealedTrail as Tenant20261125140000SealedTrailOnSqlite } from './tenant/sqlite/migration-20261125140000-sealed-trail.js';
import { Migration20261125160000Catalogue as Tenant20261125160000CatalogueOnSqlite } from './tenant/sqlite/migration-20261125160000-catalogue.js';
import { Migration20261125222306WorkProgress as Tenant20261125222306WorkProgressOnSqlite } from './tenant/sqlite/migration-20261125222306-work-progress.js';

/** Every migration there is. Oldest first. */
export const migrationList: Readonly<Record<MigrationSet, Readonly<Record<EngineName, readonly MigrationObject[]>>>> = {
  central: {
    mariadb: migrationObjects(
      Central20261120090000InitialOnMariadb,
      Central20261120120000InvitationsOnMariadb,
      Central20261120121000ApiKeysOnMariadb,
      Central20261125130000TextByBytesOnMariadb,
      Central20261125140000ErasedSubjectKeysOnMariadb,
      Central20261125150000ResolversOnMariadb,
      Central20261125170000SlotsOnMariadb,
      Central20261125190000PlacementMovesOnMariadb,
      Central20261125210000MoveClaimsOnMariadb,
    ),
    mysql: migrationObjects(
      Central20261120090000InitialOnMysql,
      Central20261120120000InvitationsOnMysql,
      Central20261120121000ApiKeysOnMysql,
      Central20261125130000TextByBytesOnMysql,
      Central20261125140000ErasedSubjectKeysOnMysql,
      Central20261125150000ResolversOnMysql,
      Central20261125170000SlotsOnMysql,
      Central20261125190000PlacementMovesOnMysql,
      Central20261125210000MoveClaimsOnMysql,
    ),
    postgresql: migrationObjects(
      Central20261120090000InitialOnPostgresql,
      Central20261120120000InvitationsOnPostgresql,
      Central20261120121000ApiKeysOnPostgresql,
      Central20261125140000ErasedSubjectKeysOnPostgresql,
      Central20261125150000ResolversOnPostgresql,
      Central20261125170000SlotsOnPostgresql,
      Central20261125190000PlacementMovesOnPostgresql,
      Central20261125210000MoveClaimsOnPostgresql,
    ),
    sqlite: migrationObjects(
      Central20261120090000InitialOnSqlite,
      Central20261120120000InvitationsOnSqlite,
      Central20261120121000ApiKeysOnSqlite,
      Central20261125140000ErasedSubjectKeysOnSqlite,
      Central20261125150000ResolversOnSqlite,
      Central20261125170000SlotsOnSqlite,
      Central20261125190000PlacementMovesOnSqlite,
      Central20261125210000MoveClaimsOnSqlite,
    ),
  },
  tenant: {
    mariadb: migrationObjects(
      Tenant20261120090000InitialOnMariadb,
      Tenant20261120110000ShopOnMariadb,
      Tenant20261120122000IdempotencyRecordsOnMariadb,
      Tenant20261125130000TextByBytesOnMariadb,
      Tenant20261125140000SealedTrailOnMariadb,
      Tenant20261125160000CatalogueOnMariadb,
      Tenant20261125222306WorkProgressOnMariadb,
    ),
    mysql: migrationObjects(
      Tenant20261120090000InitialOnMysql,
      Tenant20261120110000ShopOnMysql,
      Tenant20261120122000IdempotencyRecordsOnMysql,
      Tenant20261125130000TextByBytesOnMysql,
      Tenant20261125140000SealedTrailOnMysql,
      Tenant20261125160000CatalogueOnMysql,
      Tenant20261125222306WorkProgressOnMysql,
    ),
    postgresql: migrationObjects(
      Tenant20261120090000InitialOnPostgresql,
      Tenant20261120110000ShopOnPostgresql,
      Tenant20261120122000IdempotencyRecordsOnPostgresql,
      Tenant20261125131500RowSecurityOnPostgresql,
      Tenant20261125140000SealedTrailOnPostgresql,
      Tenant20261125160000CatalogueOnPostgresql,
      Tenant20261125222306WorkProgressOnPostgresql,
    ),
    sqlite: migrationObjects(
      Tenant20261120090000InitialOnSqlite,
      Tenant20261120110000ShopOnSqlite,
      Tenant20261120122000IdempotencyRecordsOnSqlite,
      Tenant20261125140000SealedTrailOnSqlite,
      Tenant20261125160000CatalogueOnSqlite,
      Tenant20261125222306WorkProgressOnSqlite,
    ),
  },
};
