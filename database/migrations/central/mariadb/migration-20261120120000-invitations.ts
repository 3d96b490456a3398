import { Migration } from '@mikro-orm/migrations';

export class Migration20261120120000Invitations extends Migration {
  override up(): void {
    this.addSql(
      'create table `invitation` (`id` varchar(36) not null, `tenant_id` varchar(36) not null, `email` varchar(254) not null, `role` varchar(20) not null, `token_hash` varchar(64) not null, `invited_by` varchar(36) not null, `expires_at` datetime(3) not null, `accepted_at` datetime(3) null, `created_at` datetime(3) not null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql('alter table `invitation` add index `invitation_tenant_id_index` (`tenant_id`)');
  }

  override down(): void {
    this.addSql('drop table if exists `invitation`');
  }
}
