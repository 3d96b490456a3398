import { Migration } from '@mikro-orm/migrations';

export class Migration20261120121000ApiKeys extends Migration {
  override up(): void {
    this.addSql(
      'create table "api_key" ("id" uuid not null, "tenant_id" uuid not null, "name" varchar(100) not null, "permissions" text not null, "token_hash" varchar(64) not null, "created_by" uuid not null, "expires_at" timestamptz(3) null, "created_at" timestamptz(3) not null, primary key ("id"))',
    );
    this.addSql('create index "api_key_tenant_id_index" on "api_key" ("tenant_id")');
  }

  override down(): void {
    this.addSql('drop table if exists "api_key" cascade');
  }
}
