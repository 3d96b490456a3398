import { Migration } from '@mikro-orm/migrations';

export class Migration20261125222306WorkProgress extends Migration {
  override up(): void {
    this.addSql(
      'create table `work_progress` (`tenant_id` text not null, `id` text not null, `name` text not null, `position` text null, `done` integer not null, `started_at` datetime not null, `finished_at` datetime null, primary key (`tenant_id`, `id`))',
    );
    this.addSql('create unique index `work_progress_tenant_id_name_unique` on `work_progress` (`tenant_id`, `name`)');
  }

  override down(): void {
    this.addSql('drop table if exists `work_progress`');
  }
}
