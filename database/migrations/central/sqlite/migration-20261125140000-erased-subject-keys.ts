import { Migration } from '@mikro-orm/migrations';

export class Migration20261125140000ErasedSubjectKeys extends Migration {
  override up(): void {
    this.addSql(
      'create table `erased_subject_key` (`id` text not null primary key, `tenant_id` text not null, `erased_at` datetime not null)',
    );
    this.addSql('create index `erased_subject_key_tenant_id_index` on `erased_subject_key` (`tenant_id`)');
  }

  override down(): void {
    this.addSql('drop table if exists `erased_subject_key`');
  }
}
