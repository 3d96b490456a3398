import { Migration } from '@mikro-orm/migrations';

export class Migration20261125222306WorkProgress extends Migration {
  override up(): void {
    this.addSql(
      'create table `work_progress` (`tenant_id` varchar(36) not null, `id` varchar(36) not null, `name` varchar(200) not null, `position` longtext null, `done` int not null, `started_at` datetime(3) not null, `finished_at` datetime(3) null, primary key (`tenant_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql('alter table `work_progress` add unique `work_progress_tenant_id_name_unique` (`tenant_id`, `name`)');
  }

  override down(): void {
    this.addSql('drop table if exists `work_progress`');
  }
}
