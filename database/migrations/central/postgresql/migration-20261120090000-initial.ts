import { Migration } from '@mikro-orm/migrations';

export class Migration20261120090000Initial extends Migration {
  override up(): void {
    this.addSql(
      'create table "membership" ("user_id" uuid not null, "tenant_id" uuid not null, "role" varchar(20) not null, "created_at" timestamptz(3) not null, primary key ("user_id", "tenant_id"))',
    );
    this.addSql('create index "membership_tenant_id_index" on "membership" ("tenant_id")');
    this.addSql(
      'create table "placement" ("tenant_id" uuid not null, "strategy" varchar(20) not null, "shard_id" varchar(60) not null, "schema_name" varchar(63) null, "database_name" varchar(63) null, "epoch" int not null, "state" varchar(20) not null, primary key ("tenant_id"))',
    );
    this.addSql('create index "placement_shard_id_index" on "placement" ("shard_id")');
    this.addSql(
      'create table "session" ("id" uuid not null, "user_id" uuid not null, "tenant_id" uuid null, "generation" int not null, "rotated_at" timestamptz(3) not null, "expires_at" timestamptz(3) not null, "revoked_at" timestamptz(3) null, "created_at" timestamptz(3) not null, "ip" varchar(45) null, "user_agent" varchar(255) null, primary key ("id"))',
    );
    this.addSql('create index "session_user_id_index" on "session" ("user_id")');
    this.addSql('create index "session_tenant_id_index" on "session" ("tenant_id")');
    this.addSql(
      'create table "tenant" ("id" uuid not null, "slug" varchar(40) not null, "name" varchar(200) not null, "status" varchar(20) not null, "created_at" timestamptz(3) not null, primary key ("id"))',
    );
    this.addSql('alter table "tenant" add constraint "tenant_slug_unique" unique ("slug")');
    this.addSql(
      'create table "app_user" ("id" uuid not null, "email" varchar(254) not null, "name" varchar(200) not null, "password_hash" varchar(255) not null, "is_operator" boolean not null, "created_at" timestamptz(3) not null, primary key ("id"))',
    );
    this.addSql('alter table "app_user" add constraint "app_user_email_unique" unique ("email")');
  }

  override down(): void {
    this.addSql('drop table if exists "app_user" cascade');
    this.addSql('drop table if exists "tenant" cascade');
    this.addSql('drop table if exists "session" cascade');
    this.addSql('drop table if exists "placement" cascade');
    this.addSql('drop table if exists "membership" cascade');
  }
}
