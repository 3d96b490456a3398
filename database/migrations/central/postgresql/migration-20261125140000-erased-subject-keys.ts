import { Migration } from '@mikro-orm/migrations';

export class Migration20261125140000ErasedSubjectKeys extends Migration {
  override up(): void {
    this.addSql(
      'create table "erased_subject_key" ("id" uuid not null, "tenant_id" uuid not null, "erased_at" timestamptz(3) not null, primary key ("id"))',
    );
    this.addSql('create index "erased_subject_key_tenant_id_index" on "erased_subject_key" ("tenant_id")');
  }

  override down(): void {
    this.addSql('drop table if exists "erased_subject_key" cascade');
  }
}
