import { Migration } from '@mikro-orm/migrations';

export class Migration20261125222306WorkProgress extends Migration {
  override up(): void {
    this.addSql(
      'create table "work_progress" ("tenant_id" uuid not null, "id" uuid not null, "name" varchar(200) not null, "position" text null, "done" int not null, "started_at" timestamptz(3) not null, "finished_at" timestamptz(3) null, primary key ("tenant_id", "id"))',
    );
    this.addSql(
      'alter table "work_progress" add constraint "work_progress_tenant_id_name_unique" unique ("tenant_id", "name")',
    );
    this.addSql('alter table "work_progress" enable row level security');
    this.addSql('alter table "work_progress" force row level security');
    this.addSql(
      'create policy "tenant_rows" on "work_progress" using ("tenant_id" = current_setting(\'rowhouse.tenant_id\')::uuid) with check ("tenant_id" = current_setting(\'rowhouse.tenant_id\')::uuid)',
    );
    this.addSql(
      'create policy "across_tenants" on "work_progress" for select using (current_setting(\'rowhouse.tenant_id\') = \'ffffffff-ffff-ffff-ffff-ffffffffffff\')',
    );
  }

  override down(): void {
    this.addSql('drop table if exists "work_progress" cascade');
  }
}
