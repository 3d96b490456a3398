import { Migration } from '@mikro-orm/migrations';
import { linkTags } from '../link-tags.js';

export class Migration20261125160000Catalogue extends Migration {
  override async up(): Promise<void> {
    this.addSql(
      'create table `category` (`tenant_id` varchar(36) not null, `id` varchar(36) not null, `name` varchar(100) not null, `parent_id` varchar(36) null, `version` int not null default 1, `created_at` datetime(3) not null, primary key (`tenant_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql('alter table `category` add index `category_tenant_id_parent_id_index` (`tenant_id`, `parent_id`)');
    this.addSql('alter table `category` add index `category_tenant_id_name_index` (`tenant_id`, `name`)');
    this.addSql(
      'create table `tag` (`tenant_id` varchar(36) not null, `id` varchar(36) not null, `name` varchar(50) not null, `word_key` varchar(36) not null, `description` varchar(500) null, `version` int not null default 1, `created_at` datetime(3) not null, primary key (`tenant_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql('alter table `tag` add index `tag_tenant_id_name_index` (`tenant_id`, `name`)');
    this.addSql('alter table `tag` add unique `tag_tenant_id_word_key_unique` (`tenant_id`, `word_key`)');
    this.addSql(
      'create table `product_tag` (`tenant_id` varchar(36) not null, `product_id` varchar(36) not null, `tag_id` varchar(36) not null, primary key (`tenant_id`, `product_id`, `tag_id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql(
      'alter table `product_tag` add index `product_tag_tenant_id_product_id_index` (`tenant_id`, `product_id`)',
    );
    this.addSql('alter table `product_tag` add index `product_tag_tenant_id_tag_id_index` (`tenant_id`, `tag_id`)');
    this.addSql('alter table `product` add `category_id` varchar(36) null');
    this.addSql(
      'alter table `product` add constraint `product_tenant_id_category_id_foreign` foreign key (`tenant_id`, `category_id`) references `category` (`tenant_id`, `id`) on update restrict on delete restrict',
    );
    this.addSql('alter table `product` add index `product_tenant_id_category_id_index` (`tenant_id`, `category_id`)');
    this.addSql(
      'alter table `category` add constraint `category_tenant_id_parent_id_foreign` foreign key (`tenant_id`, `parent_id`) references `category` (`tenant_id`, `id`) on update restrict on delete restrict',
    );
    this.addSql(
      'alter table `product_tag` add constraint `product_tag_tenant_id_product_id_foreign` foreign key (`tenant_id`, `product_id`) references `product` (`tenant_id`, `id`) on update restrict on delete cascade',
    );
    this.addSql(
      'alter table `product_tag` add constraint `product_tag_tenant_id_tag_id_foreign` foreign key (`tenant_id`, `tag_id`) references `tag` (`tenant_id`, `id`) on update restrict on delete cascade',
    );
    await linkTags(this, this.config.getPlatform());
  }

  override down(): void {
    this.addSql('drop table if exists `product_tag`');
    this.addSql('drop table if exists `tag`');
    this.addSql('alter table `product` drop foreign key `product_tenant_id_category_id_foreign`');
    this.addSql('alter table `product` drop index `product_tenant_id_category_id_index`');
    this.addSql('alter table `product` drop column `category_id`');
    this.addSql('drop table if exists `category`');
  }
}
