import { Migration } from '@mikro-orm/migrations';

export class Migration20261120090000Initial extends Migration {
  override up(): void {
    this.addSql(
      'create table `membership` (`user_id` text not null, `tenant_id` text not null, `role` text not null, `created_at` datetime not null, primary key (`user_id`, `tenant_id`))',
    );
    this.addSql('create index `membership_tenant_id_index` on `membership` (`tenant_id`)');
    this.addSql(
      'create table `placement` (`tenant_id` text not null primary key, `strategy` text not null, `shard_id` text not null, `schema_name` text null, `database_name` text null, `epoch` integer not null, `state` text not null)',
    );
    this.addSql('create index `placement_shard_id_index` on `placement` (`shard_id`)');
    this.addSql(
      'create table `session` (`id` text not null primary key, `user_id` text not null, `tenant_id` text null, `generation` integer not null, `rotated_at` datetime not null, `expires_at` datetime not null, `revoked_at` datetime null, `created_at` datetime not null, `ip` text null, `user_agent` text null)',
    );
    this.addSql('create index `session_user_id_index` on `session` (`user_id`)');
    this.addSql('create index `session_tenant_id_index` on `session` (`tenant_id`)');
    this.addSql(
      'create table `tenant` (`id` text not null primary key, `slug` text not null, `name` text not null, `status` text not null, `created_at` datetime not null)',
    );
    this.addSql('create unique index `tenant_slug_unique` on `tenant` (`slug`)');
    this.addSql(
      'create table `app_user` (`id` text not null primary key, `email` text not null, `name` text not null, `password_hash` text not null, `is_operator` integer not null, `created_at` datetime not null)',
    );
    this.addSql('create unique index `app_user_email_unique` on `app_user` (`email`)');
  }

  override down(): void {
    this.addSql('drop table if exists `app_user`');
    this.addSql('drop table if exists `tenant`');
    this.addSql('drop table if exists `session`');
    this.addSql('drop table if exists `placement`');
    this.addSql('drop table if exists `membership`');
  }
}
