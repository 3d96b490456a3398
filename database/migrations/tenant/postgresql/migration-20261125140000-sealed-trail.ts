import { Migration } from '@mikro-orm/migrations';
import { rowSecuritySql } from '#libs/tenancy';

const TABLES = ['audit_checkpoint', 'audit_hold', 'audit_log', 'audit_purge', 'audit_seal', 'audit_subject_key'];

export class Migration20261125140000SealedTrail extends Migration {
  override up(): void {
    this.addSql('alter table "audit_entry" add column "personal" text null, add column "stamp" varchar(24) null');
    this.addSql(
      'create table "audit_checkpoint" ("tenant_id" uuid not null, "id" uuid not null, "size" bigint not null, "checkpoint" text not null, primary key ("tenant_id", "id"))',
    );
    this.addSql(
      'alter table "audit_checkpoint" add constraint "audit_checkpoint_tenant_id_size_unique" unique ("tenant_id", "size")',
    );
    this.addSql(
      'create table "audit_hold" ("tenant_id" uuid not null, "id" uuid not null, "reason" varchar(500) not null, "entity_name" varchar(100) null, "entity_id" varchar(200) null, "actor_id" varchar(100) null, "created_at" timestamptz(3) not null, "released_at" timestamptz(3) null, primary key ("tenant_id", "id"))',
    );
    this.addSql(
      'create table "audit_log" ("tenant_id" uuid not null, "id" uuid not null, "checkpoint" text not null, "frontier" text not null, primary key ("tenant_id", "id"))',
    );
    this.addSql(
      'create table "audit_purge" ("tenant_id" uuid not null, "id" uuid not null, "record" text not null, primary key ("tenant_id", "id"))',
    );
    this.addSql(
      'create table "audit_seal" ("tenant_id" uuid not null, "id" uuid not null, "position" bigint not null, "leaf" varchar(43) not null, primary key ("tenant_id", "id"))',
    );
    this.addSql(
      'alter table "audit_seal" add constraint "audit_seal_tenant_id_position_unique" unique ("tenant_id", "position")',
    );
    this.addSql(
      'create table "audit_subject_key" ("tenant_id" uuid not null, "id" uuid not null, "subject" varchar(200) not null, "secret" varchar(43) not null, primary key ("tenant_id", "id"))',
    );
    this.addSql(
      'create index "audit_subject_key_tenant_id_subject_index" on "audit_subject_key" ("tenant_id", "subject")',
    );
    for (const sql of TABLES.flatMap((table) => rowSecuritySql(table))) this.addSql(sql);
  }

  override down(): void {
    this.addSql('drop table if exists "audit_subject_key" cascade');
    this.addSql('drop table if exists "audit_hold" cascade');
    this.addSql('drop table if exists "audit_purge" cascade');
    this.addSql('drop table if exists "audit_checkpoint" cascade');
    this.addSql('drop table if exists "audit_seal" cascade');
    this.addSql('drop table if exists "audit_log" cascade');
    this.addSql('alter table "audit_entry" drop column "personal", drop column "stamp"');
  }
}
