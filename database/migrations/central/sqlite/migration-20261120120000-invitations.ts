import { Migration } from '@mikro-orm/migrations';

export class Migration20261120120000Invitations extends Migration {
  override up(): void {
    this.addSql(
      'create table `invitation` (`id` text not null primary key, `tenant_id` text not null, `email` text not null, `role` text not null, `token_hash` text not null, `invited_by` text not null, `expires_at` datetime not null, `accepted_at` datetime null, `created_at` datetime not null)',
    );
    this.addSql('create index `invitation_tenant_id_index` on `invitation` (`tenant_id`)');
  }

  override down(): void {
    this.addSql('drop table if exists `invitation`');
  }
}
