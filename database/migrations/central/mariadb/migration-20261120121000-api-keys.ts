import { Migration } from '@mikro-orm/migrations';

export class Migration20261120121000ApiKeys extends Migration {
  override up(): void {
    this.addSql(
      'create table `api_key` (`id` varchar(36) not null, `tenant_id` varchar(36) not null, `name` varchar(100) not null, `permissions` text not null, `token_hash` varchar(64) not null, `created_by` varchar(36) not null, `expires_at` datetime(3) null, `created_at` datetime(3) not null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql('alter table `api_key` add index `api_key_tenant_id_index` (`tenant_id`)');
  }

  override down(): void {
    this.addSql('drop table if exists `api_key`');
  }
}
