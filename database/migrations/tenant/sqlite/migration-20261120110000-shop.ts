import { Migration } from '@mikro-orm/migrations';

export class Migration20261120110000Shop extends Migration {
  override up(): void {
    this.addSql(
      'create table `shop_order` (`tenant_id` text not null, `id` text not null, `status` text not null, `total_amount` bigint not null, `total_currency` text not null, `version` integer not null default 1, `created_at` datetime not null, `paid_at` datetime null, primary key (`tenant_id`, `id`))',
    );
    this.addSql(
      'create table `order_line` (`tenant_id` text not null, `id` text not null, `order_id` text not null, `product_id` text not null, `quantity` integer not null, `unit_price_amount` bigint not null, `unit_price_currency` text not null, primary key (`tenant_id`, `id`), constraint `order_line_tenant_id_order_id_foreign` foreign key (`tenant_id`, `order_id`) references `shop_order` (`tenant_id`, `id`) on update restrict on delete restrict, constraint `order_line_tenant_id_product_id_foreign` foreign key (`tenant_id`, `product_id`) references `product` (`tenant_id`, `id`) on update restrict on delete restrict)',
    );
    this.addSql('create index `order_line_tenant_id_order_id_index` on `order_line` (`tenant_id`, `order_id`)');
    this.addSql('create index `order_line_tenant_id_product_id_index` on `order_line` (`tenant_id`, `product_id`)');
    this.addSql(
      'create table `wallet` (`tenant_id` text not null, `id` text not null, `currency` text not null, `balance` bigint not null, `version` integer not null default 1, `created_at` datetime not null, `updated_at` datetime not null, primary key (`tenant_id`, `id`), constraint `wallet_balance_check` check (balance >= 0))',
    );
    this.addSql(
      'create table `transfer` (`tenant_id` text not null, `id` text not null, `from_wallet_id` text not null, `to_wallet_id` text not null, `amount` bigint not null, `currency` text not null, `created_at` datetime not null, primary key (`tenant_id`, `id`), constraint `transfer_tenant_id_from_wallet_id_foreign` foreign key (`tenant_id`, `from_wallet_id`) references `wallet` (`tenant_id`, `id`) on update restrict on delete restrict, constraint `transfer_tenant_id_to_wallet_id_foreign` foreign key (`tenant_id`, `to_wallet_id`) references `wallet` (`tenant_id`, `id`) on update restrict on delete restrict)',
    );
    this.addSql('create index `transfer_tenant_id_from_wallet_id_index` on `transfer` (`tenant_id`, `from_wallet_id`)');
    this.addSql('create index `transfer_tenant_id_to_wallet_id_index` on `transfer` (`tenant_id`, `to_wallet_id`)');
    this.addSql(
      'create table `payment` (`tenant_id` text not null, `id` text not null, `method` text not null, `order_id` text not null, `amount` bigint not null, `currency` text not null, `created_at` datetime not null, `wallet_id` text null, `last_four` text null, `token` text null, primary key (`tenant_id`, `id`), constraint `payment_tenant_id_order_id_foreign` foreign key (`tenant_id`, `order_id`) references `shop_order` (`tenant_id`, `id`) on update restrict on delete restrict, constraint `payment_tenant_id_wallet_id_foreign` foreign key (`tenant_id`, `wallet_id`) references `wallet` (`tenant_id`, `id`) on update restrict on delete restrict)',
    );
    this.addSql('create index `payment_tenant_id_order_id_index` on `payment` (`tenant_id`, `order_id`)');
    this.addSql('create index `payment_tenant_id_wallet_id_index` on `payment` (`tenant_id`, `wallet_id`)');
  }

  override down(): void {
    this.addSql('drop table if exists `payment`');
    this.addSql('drop table if exists `transfer`');
    this.addSql('drop table if exists `wallet`');
    this.addSql('drop table if exists `order_line`');
    this.addSql('drop table if exists `shop_order`');
  }
}
