import { Migration } from '@mikro-orm/migrations';

export class Migration20261120090000Initial extends Migration {
  override up(): void {
    this.addSql(
      'create table `membership` (`user_id` varchar(36) not null, `tenant_id` varchar(36) not null, `role` varchar(20) not null, `created_at` datetime(3) not null, primary key (`user_id`, `tenant_id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql('alter table `membership` add index `membership_tenant_id_index` (`tenant_id`)');
    this.addSql(
      'create table `placement` (`tenant_id` varchar(36) not null, `strategy` varchar(20) not null, `shard_id` varchar(60) not null, `schema_name` varchar(63) null, `database_name` varchar(63) null, `epoch` int not null, `state` varchar(20) not null, primary key (`tenant_id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql('alter table `placement` add index `placement_shard_id_index` (`shard_id`)');
    this.addSql(
      'create table `session` (`id` varchar(36) not null, `user_id` varchar(36) not null, `tenant_id` varchar(36) null, `generation` int not null, `rotated_at` datetime(3) not null, `expires_at` datetime(3) not null, `revoked_at` datetime(3) null, `created_at` datetime(3) not null, `ip` varchar(45) null, `user_agent` varchar(255) null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql('alter table `session` add index `session_user_id_index` (`user_id`)');
    this.addSql('alter table `session` add index `session_tenant_id_index` (`tenant_id`)');
    this.addSql(
      'create table `tenant` (`id` varchar(36) not null, `slug` varchar(40) not null, `name` varchar(200) not null, `status` varchar(20) not null, `created_at` datetime(3) not null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql('alter table `tenant` add unique `tenant_slug_unique` (`slug`)');
    this.addSql(
      'create table `app_user` (`id` varchar(36) not null, `email` varchar(254) not null, `name` varchar(200) not null, `password_hash` varchar(255) not null, `is_operator` tinyint(1) not null, `created_at` datetime(3) not null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql('alter table `app_user` add unique `app_user_email_unique` (`email`)');
  }

  override down(): void {
    this.addSql('drop table if exists `app_user`');
    this.addSql('drop table if exists `tenant`');
    this.addSql('drop table if exists `session`');
    this.addSql('drop table if exists `placement`');
    this.addSql('drop table if exists `membership`');
  }
}
