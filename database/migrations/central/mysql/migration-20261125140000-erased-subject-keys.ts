import { Migration } from '@mikro-orm/migrations';

export class Migration20261125140000ErasedSubjectKeys extends Migration {
  override up(): void {
    this.addSql(
      'create table `erased_subject_key` (`id` varchar(36) not null, `tenant_id` varchar(36) not null, `erased_at` datetime(3) not null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql('alter table `erased_subject_key` add index `erased_subject_key_tenant_id_index` (`tenant_id`)');
  }

  override down(): void {
    this.addSql('drop table if exists `erased_subject_key`');
  }
}
