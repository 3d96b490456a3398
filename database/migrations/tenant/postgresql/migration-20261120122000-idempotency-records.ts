import { Migration } from '@mikro-orm/migrations';

export class Migration20261120122000IdempotencyRecords extends Migration {
  override up(): void {
    this.addSql(
      'create table "idempotency_record" ("tenant_id" uuid not null, "id" uuid not null, "scope" varchar(64) not null, "fingerprint" varchar(64) not null, "claim" uuid not null, "claimed_at" timestamptz(3) not null, "status" int null, "headers" text null, "body" text null, "created_at" timestamptz(3) not null, primary key ("tenant_id", "id"))',
    );
    this.addSql(
      'create index "idempotency_record_tenant_id_created_at_index" on "idempotency_record" ("tenant_id", "created_at")',
    );
    this.addSql(
      'alter table "idempotency_record" add constraint "idempotency_record_tenant_id_scope_unique" unique ("tenant_id", "scope")',
    );
  }

  override down(): void {
    this.addSql('drop table if exists "idempotency_record" cascade');
  }
}
