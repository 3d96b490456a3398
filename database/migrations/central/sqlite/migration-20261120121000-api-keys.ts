import { Migration } from '@mikro-orm/migrations';

export class Migration20261120121000ApiKeys extends Migration {
  override up(): void {
    this.addSql(
      'create table `api_key` (`id` text not null primary key, `tenant_id` text not null, `name` text not null, `permissions` text not null, `token_hash` text not null, `created_by` text not null, `expires_at` datetime null, `created_at` datetime not null)',
    );
    this.addSql('create index `api_key_tenant_id_index` on `api_key` (`tenant_id`)');
  }

  override down(): void {
    this.addSql('drop table if exists `api_key`');
  }
}
