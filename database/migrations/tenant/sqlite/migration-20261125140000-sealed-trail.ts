import { Migration } from '@mikro-orm/migrations';

export class Migration20261125140000SealedTrail extends Migration {
  override up(): void {
    // SQLite adds columns behind the keys; made anew, the table is as the entities say.
    this.addSql('drop index `audit_entry_tenant_id_entity_name_entity_id_index`');
    this.addSql('alter table `audit_entry` rename to `audit_entry_before`');
    this.addSql(
      'create table `audit_entry` (`tenant_id` text not null, `id` text not null, `occurred_at` datetime not null, `action` text not null, `entity_name` text null, `entity_id` text null, `changes` text not null, `actor_id` text null, `actor_type` text not null, `actor_email` text null, `on_behalf_of` text null, `request_id` text null, `route` text null, `method` text null, `ip` text null, `user_agent` text null, `reason` text null, `personal` text null, `stamp` text null, primary key (`tenant_id`, `id`))',
    );
    this.addSql(
      'insert into `audit_entry` (`tenant_id`, `id`, `occurred_at`, `action`, `entity_name`, `entity_id`, `changes`, `actor_id`, `actor_type`, `actor_email`, `on_behalf_of`, `request_id`, `route`, `method`, `ip`, `user_agent`, `reason`) select `tenant_id`, `id`, `occurred_at`, `action`, `entity_name`, `entity_id`, `changes`, `actor_id`, `actor_type`, `actor_email`, `on_behalf_of`, `request_id`, `route`, `method`, `ip`, `user_agent`, `reason` from `audit_entry_before`',
    );
    this.addSql('drop table `audit_entry_before`');
    this.addSql(
      'create index `audit_entry_tenant_id_entity_name_entity_id_index` on `audit_entry` (`tenant_id`, `entity_name`, `entity_id`)',
    );
    this.addSql(
      'create table `audit_checkpoint` (`tenant_id` text not null, `id` text not null, `size` bigint not null, `checkpoint` text not null, primary key (`tenant_id`, `id`))',
    );
    this.addSql(
      'create unique index `audit_checkpoint_tenant_id_size_unique` on `audit_checkpoint` (`tenant_id`, `size`)',
    );
    this.addSql(
      'create table `audit_hold` (`tenant_id` text not null, `id` text not null, `reason` text not null, `entity_name` text null, `entity_id` text null, `actor_id` text null, `created_at` datetime not null, `released_at` datetime null, primary key (`tenant_id`, `id`))',
    );
    this.addSql(
      'create table `audit_log` (`tenant_id` text not null, `id` text not null, `checkpoint` text not null, `frontier` text not null, primary key (`tenant_id`, `id`))',
    );
    this.addSql(
      'create table `audit_purge` (`tenant_id` text not null, `id` text not null, `record` text not null, primary key (`tenant_id`, `id`))',
    );
    this.addSql(
      'create table `audit_seal` (`tenant_id` text not null, `id` text not null, `position` bigint not null, `leaf` text not null, primary key (`tenant_id`, `id`))',
    );
    this.addSql('create unique index `audit_seal_tenant_id_position_unique` on `audit_seal` (`tenant_id`, `position`)');
    this.addSql(
      'create table `audit_subject_key` (`tenant_id` text not null, `id` text not null, `subject` text not null, `secret` text not null, primary key (`tenant_id`, `id`))',
    );
    this.addSql(
      'create index `audit_subject_key_tenant_id_subject_index` on `audit_subject_key` (`tenant_id`, `subject`)',
    );
  }

  override down(): void {
    this.addSql('drop table if exists `audit_subject_key`');
    this.addSql('drop table if exists `audit_hold`');
    this.addSql('drop table if exists `audit_purge`');
    this.addSql('drop table if exists `audit_checkpoint`');
    this.addSql('drop table if exists `audit_seal`');
    this.addSql('drop table if exists `audit_log`');
    this.addSql('alter table `audit_entry` drop column `stamp`');
    this.addSql('alter table `audit_entry` drop column `personal`');
  }
}
