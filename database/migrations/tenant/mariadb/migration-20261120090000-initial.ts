import { Migration } from '@mikro-orm/migrations';

export class Migration20261120090000Initial extends Migration {
  override up(): void {
    this.addSql(
      'create table `audit_entry` (`tenant_id` varchar(36) not null, `id` varchar(36) not null, `occurred_at` datetime(3) not null, `action` varchar(60) not null, `entity_name` varchar(100) null, `entity_id` varchar(200) null, `changes` longtext not null, `actor_id` varchar(100) null, `actor_type` varchar(20) not null, `actor_email` varchar(320) null, `on_behalf_of` varchar(100) null, `request_id` varchar(100) null, `route` varchar(200) null, `method` varchar(10) null, `ip` varchar(45) null, `user_agent` varchar(300) null, `reason` varchar(500) null, primary key (`tenant_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql(
      'alter table `audit_entry` add index `audit_entry_tenant_id_entity_name_entity_id_index` (`tenant_id`, `entity_name`, `entity_id`)',
    );
    this.addSql(
      'create table `product` (`tenant_id` varchar(36) not null, `id` varchar(36) not null, `type` varchar(20) not null, `sku` varchar(100) not null, `name` varchar(255) not null, `price_amount` bigint not null, `price_currency` varchar(3) not null, `stock` int not null, `tags` text not null, `version` int not null default 1, `created_at` datetime(3) not null, `updated_at` datetime(3) not null, primary key (`tenant_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql('alter table `product` add index `product_tenant_id_name_index` (`tenant_id`, `name`)');
    this.addSql('alter table `product` add index `product_tenant_id_created_at_index` (`tenant_id`, `created_at`)');
    this.addSql('alter table `product` add unique `product_tenant_id_sku_unique` (`tenant_id`, `sku`)');
    this.addSql(
      'create table `book` (`isbn` varchar(13) not null, `tenant_id` varchar(36) not null, `id` varchar(36) not null, primary key (`tenant_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql(
      'create table `electronic` (`warranty_months` int not null, `tenant_id` varchar(36) not null, `id` varchar(36) not null, primary key (`tenant_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql(
      'create table `digital_product` (`download_size_kb` bigint null, `tenant_id` varchar(36) not null, `id` varchar(36) not null, primary key (`tenant_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql(
      'alter table `book` add constraint `book_tenant_id_id_foreign` foreign key (`tenant_id`, `id`) references `product` (`tenant_id`, `id`) on update cascade on delete cascade',
    );
    this.addSql(
      'alter table `electronic` add constraint `electronic_tenant_id_id_foreign` foreign key (`tenant_id`, `id`) references `product` (`tenant_id`, `id`) on update cascade on delete cascade',
    );
    this.addSql(
      'alter table `digital_product` add constraint `digital_product_tenant_id_id_foreign` foreign key (`tenant_id`, `id`) references `product` (`tenant_id`, `id`) on update cascade on delete cascade',
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
