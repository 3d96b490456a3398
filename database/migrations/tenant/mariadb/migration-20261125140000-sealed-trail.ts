import { Migration } from '@mikro-orm/migrations';

export class Migration20261125140000SealedTrail extends Migration {
  override up(): void {
    this.addSql('alter table `audit_entry` add `personal` longtext null, add `stamp` varchar(24) null');
    this.addSql(
      'create table `audit_checkpoint` (`tenant_id` varchar(36) not null, `id` varchar(36) not null, `size` bigint not null, `checkpoint` longtext not null, primary key (`tenant_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql(
      'alter table `audit_checkpoint` add unique `audit_checkpoint_tenant_id_size_unique` (`tenant_id`, `size`)',
    );
    this.addSql(
      'create table `audit_hold` (`tenant_id` varchar(36) not null, `id` varchar(36) not null, `reason` varchar(500) not null, `entity_name` varchar(100) null, `entity_id` varchar(200) null, `actor_id` varchar(100) null, `created_at` datetime(3) not null, `released_at` datetime(3) null, primary key (`tenant_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql(
      'create table `audit_log` (`tenant_id` varchar(36) not null, `id` varchar(36) not null, `checkpoint` longtext not null, `frontier` longtext not null, primary key (`tenant_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql(
      'create table `audit_purge` (`tenant_id` varchar(36) not null, `id` varchar(36) not null, `record` longtext not null, primary key (`tenant_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql(
      'create table `audit_seal` (`tenant_id` varchar(36) not null, `id` varchar(36) not null, `position` bigint not null, `leaf` varchar(43) not null, primary key (`tenant_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql('alter table `audit_seal` add unique `audit_seal_tenant_id_position_unique` (`tenant_id`, `position`)');
    this.addSql(
      'create table `audit_subject_key` (`tenant_id` varchar(36) not null, `id` varchar(36) not null, `subject` varchar(200) not null, `secret` varchar(43) not null, primary key (`tenant_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql(
      'alter table `audit_subject_key` add index `audit_subject_key_tenant_id_subject_index` (`tenant_id`, `subject`)',
    );
  }

  override down(): void {
    this.addSql('drop table if exists `audit_subject_key`');
    this.addSql('drop table if exists `audit_hold`');
    this.addSql('drop table if exists `audit_purge`');
    this.addSql('drop table if exists `audit_checkpoint`');
    this.addSql('drop table if exists `audit_seal`');
    this.addSql('drop table if exists `audit_log`');
    this.addSql('alter table `audit_entry` drop `personal`, drop `stamp`');
  }
}
