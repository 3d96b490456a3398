import { Migration } from '@mikro-orm/migrations';

export class Migration20261120110000Shop extends Migration {
  override up(): void {
    this.addSql(
      'create table `shop_order` (`tenant_id` varchar(36) not null, `id` varchar(36) not null, `status` varchar(20) not null, `total_amount` bigint not null, `total_currency` varchar(3) not null, `version` int not null default 1, `created_at` datetime(3) not null, `paid_at` datetime(3) null, primary key (`tenant_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql(
      'create table `order_line` (`tenant_id` varchar(36) not null, `id` varchar(36) not null, `order_id` varchar(36) not null, `product_id` varchar(36) not null, `quantity` int not null, `unit_price_amount` bigint not null, `unit_price_currency` varchar(3) not null, primary key (`tenant_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql('alter table `order_line` add index `order_line_tenant_id_order_id_index` (`tenant_id`, `order_id`)');
    this.addSql(
      'alter table `order_line` add index `order_line_tenant_id_product_id_index` (`tenant_id`, `product_id`)',
    );
    this.addSql(
      'create table `wallet` (`tenant_id` varchar(36) not null, `id` varchar(36) not null, `currency` varchar(3) not null, `balance` bigint not null, `version` int not null default 1, `created_at` datetime(3) not null, `updated_at` datetime(3) not null, primary key (`tenant_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql('alter table `wallet` add constraint `wallet_balance_check` check (balance >= 0)');
    this.addSql(
      'create table `transfer` (`tenant_id` varchar(36) not null, `id` varchar(36) not null, `from_wallet_id` varchar(36) not null, `to_wallet_id` varchar(36) not null, `amount` bigint not null, `currency` varchar(3) not null, `created_at` datetime(3) not null, primary key (`tenant_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql(
      'alter table `transfer` add index `transfer_tenant_id_from_wallet_id_index` (`tenant_id`, `from_wallet_id`)',
    );
    this.addSql(
      'alter table `transfer` add index `transfer_tenant_id_to_wallet_id_index` (`tenant_id`, `to_wallet_id`)',
    );
    this.addSql(
      'create table `payment` (`tenant_id` varchar(36) not null, `id` varchar(36) not null, `method` varchar(20) not null, `order_id` varchar(36) not null, `amount` bigint not null, `currency` varchar(3) not null, `created_at` datetime(3) not null, `wallet_id` varchar(36) null, `last_four` varchar(4) null, `token` varchar(200) null, primary key (`tenant_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql('alter table `payment` add index `payment_tenant_id_order_id_index` (`tenant_id`, `order_id`)');
    this.addSql('alter table `payment` add index `payment_tenant_id_wallet_id_index` (`tenant_id`, `wallet_id`)');
    this.addSql(
      'alter table `order_line` add constraint `order_line_tenant_id_order_id_foreign` foreign key (`tenant_id`, `order_id`) references `shop_order` (`tenant_id`, `id`) on update restrict on delete restrict',
    );
    this.addSql(
      'alter table `order_line` add constraint `order_line_tenant_id_product_id_foreign` foreign key (`tenant_id`, `product_id`) references `product` (`tenant_id`, `id`) on update restrict on delete restrict',
    );
    this.addSql(
      'alter table `transfer` add constraint `transfer_tenant_id_from_wallet_id_foreign` foreign key (`tenant_id`, `from_wallet_id`) references `wallet` (`tenant_id`, `id`) on update restrict on delete restrict',
    );
    this.addSql(
      'alter table `transfer` add constraint `transfer_tenant_id_to_wallet_id_foreign` foreign key (`tenant_id`, `to_wallet_id`) references `wallet` (`tenant_id`, `id`) on update restrict on delete restrict',
    );
    this.addSql(
      'alter table `payment` add constraint `payment_tenant_id_order_id_foreign` foreign key (`tenant_id`, `order_id`) references `shop_order` (`tenant_id`, `id`) on update restrict on delete restrict',
    );
    this.addSql(
      'alter table `payment` add constraint `payment_tenant_id_wallet_id_foreign` foreign key (`tenant_id`, `wallet_id`) references `wallet` (`tenant_id`, `id`) on update restrict on delete restrict',
    );
  }

  override down(): void {
    this.addSql('drop table if exists `payment`');
    this.addSql('drop table if exists `transfer`');
    this.addSql('drop table if exists `wallet`');
    this.addSql('drop table if exists `order_line`');
    this.addSql('drop table if exists `shop_order`');
  }
}
