import { Migration } from '@mikro-orm/migrations';

export class Migration20261120090000Initial extends Migration {
  override up(): void {
    this.addSql(
      'create table `audit_entry` (`tenant_id` text not null, `id` text not null, `occurred_at` datetime not null, `action` text not null, `entity_name` text null, `entity_id` text null, `changes` text not null, `actor_id` text null, `actor_type` text not null, `actor_email` text null, `on_behalf_of` text null, `request_id` text null, `route` text null, `method` text null, `ip` text null, `user_agent` text null, `reason` text null, primary key (`tenant_id`, `id`))',
    );
    this.addSql(
      'create index `audit_entry_tenant_id_entity_name_entity_id_index` on `audit_entry` (`tenant_id`, `entity_name`, `entity_id`)',
    );
    this.addSql(
      'create table `product` (`tenant_id` text not null, `id` text not null, `type` text not null, `sku` text not null, `name` text not null, `price_amount` bigint not null, `price_currency` text not null, `stock` integer not null, `tags` text not null, `version` integer not null default 1, `created_at` datetime not null, `updated_at` datetime not null, primary key (`tenant_id`, `id`))',
    );
    this.addSql('create index `product_tenant_id_name_index` on `product` (`tenant_id`, `name`)');
    this.addSql('create index `product_tenant_id_created_at_index` on `product` (`tenant_id`, `created_at`)');
    this.addSql('create unique index `product_tenant_id_sku_unique` on `product` (`tenant_id`, `sku`)');
    this.addSql(
      'create table `book` (`isbn` text not null, `tenant_id` text not null, `id` text not null, primary key (`tenant_id`, `id`), constraint `book_tenant_id_id_foreign` foreign key (`tenant_id`, `id`) references `product` (`tenant_id`, `id`) on update cascade on delete cascade)',
    );
    this.addSql(
      'create table `electronic` (`warranty_months` integer not null, `tenant_id` text not null, `id` text not null, primary key (`tenant_id`, `id`), constraint `electronic_tenant_id_id_foreign` foreign key (`tenant_id`, `id`) references `product` (`tenant_id`, `id`) on update cascade on delete cascade)',
    );
    this.addSql(
      'create table `digital_product` (`download_size_kb` bigint null, `tenant_id` text not null, `id` text not null, primary key (`tenant_id`, `id`), constraint `digital_product_tenant_id_id_foreign` foreign key (`tenant_id`, `id`) references `product` (`tenant_id`, `id`) on update cascade on delete cascade)',
    );
  }

  override down(): void {
    this.addSql('drop table if exists `digital_product`');
    this.addSql('drop table if exists `electronic`');
    this.addSql('drop table if exists `book`');
    this.addSql('drop table if exists `product`');
    this.addSql('drop table if exists `audit_entry`');
  }
}
