import { Migration } from '@mikro-orm/migrations';

export class Migration20261120120000Invitations extends Migration {
  override up(): void {
    this.addSql(
      'create table "invitation" ("id" uuid not null, "tenant_id" uuid not null, "email" varchar(254) not null, "role" varchar(20) not null, "token_hash" varchar(64) not null, "invited_by" uuid not null, "expires_at" timestamptz(3) not null, "accepted_at" timestamptz(3) null, "created_at" timestamptz(3) not null, primary key ("id"))',
    );
    this.addSql('create index "invitation_tenant_id_index" on "invitation" ("tenant_id")');
  }

  override down(): void {
    this.addSql('drop table if exists "invitation" cascade');
  }
}
