import { Migration } from '@mikro-orm/migrations';
import { linkTags } from '../link-tags.js';

/** Tables whose rows refer to products, each after what it refers to itself. */
const REFERRERS = ['book', 'electronic', 'digital_product', 'order_line'];
const COLUMNS =
  'tenant_id, id, type, sku, name, price_amount, price_currency, stock, tags, version, created_at, updated_at';

export class Migration20261125160000Catalogue extends Migration {
  override async up(): Promise<void> {
    this.addSql(
      'create table `category` (`tenant_id` text not null, `id` text not null, `name` text not null, `parent_id` text null, `version` integer not null default 1, `created_at` datetime not null, primary key (`tenant_id`, `id`), constraint `category_tenant_id_parent_id_foreign` foreign key (`tenant_id`, `parent_id`) references `category` (`tenant_id`, `id`) on update restrict on delete restrict)',
    );
    this.addSql('create index `category_tenant_id_parent_id_index` on `category` (`tenant_id`, `parent_id`)');
    this.addSql('create index `category_tenant_id_name_index` on `category` (`tenant_id`, `name`)');
    this.addSql(
      'create table `tag` (`tenant_id` text not null, `id` text not null, `name` text not null, `word_key` text not null, `description` text null, `version` integer not null default 1, `created_at` datetime not null, primary key (`tenant_id`, `id`))',
    );
    this.addSql('create index `tag_tenant_id_name_index` on `tag` (`tenant_id`, `name`)');
    this.addSql('create unique index `tag_tenant_id_word_key_unique` on `tag` (`tenant_id`, `word_key`)');
    this.#rebuildProducts(() => {
      this.addSql(
        'create table `product` (`tenant_id` text not null, `id` text not null, `type` text not null, `sku` text not null, `name` text not null, `price_amount` bigint not null, `price_currency` text not null, `stock` integer not null, `tags` text not null, `category_id` text null, `version` integer not null default 1, `created_at` datetime not null, `updated_at` datetime not null, primary key (`tenant_id`, `id`), constraint `product_tenant_id_category_id_foreign` foreign key (`tenant_id`, `category_id`) references `category` (`tenant_id`, `id`) on update restrict on delete restrict)',
      );
      this.addSql('create index `product_tenant_id_name_index` on `product` (`tenant_id`, `name`)');
      this.addSql('create index `product_tenant_id_category_id_index` on `product` (`tenant_id`, `category_id`)');
      this.addSql('create index `product_tenant_id_created_at_index` on `product` (`tenant_id`, `created_at`)');
      this.addSql('create unique index `product_tenant_id_sku_unique` on `product` (`tenant_id`, `sku`)');
    });
    this.addSql(
      'create table `product_tag` (`tenant_id` text not null, `product_id` text not null, `tag_id` text not null, primary key (`tenant_id`, `product_id`, `tag_id`), constraint `product_tag_tenant_id_product_id_foreign` foreign key (`tenant_id`, `product_id`) references `product` (`tenant_id`, `id`) on update restrict on delete cascade, constraint `product_tag_tenant_id_tag_id_foreign` foreign key (`tenant_id`, `tag_id`) references `tag` (`tenant_id`, `id`) on update restrict on delete cascade)',
    );
    this.addSql('create index `product_tag_tenant_id_product_id_index` on `product_tag` (`tenant_id`, `product_id`)');
    this.addSql('create index `product_tag_tenant_id_tag_id_index` on `product_tag` (`tenant_id`, `tag_id`)');
    await linkTags(this, this.config.getPlatform());
  }

  override down(): void {
    this.addSql('drop table if exists `product_tag`');
    this.addSql('drop table if exists `tag`');
    this.#rebuildProducts(() => {
      this.addSql(
        'create table `product` (`tenant_id` text not null, `id` text not null, `type` text not null, `sku` text not null, `name` text not null, `price_amount` bigint not null, `price_currency` text not null, `stock` integer not null, `tags` text not null, `version` integer not null default 1, `created_at` datetime not null, `updated_at` datetime not null, primary key (`tenant_id`, `id`))',
      );
      this.addSql('create index `product_tenant_id_name_index` on `product` (`tenant_id`, `name`)');
      this.addSql('create index `product_tenant_id_created_at_index` on `product` (`tenant_id`, `created_at`)');
      this.addSql('create unique index `product_tenant_id_sku_unique` on `product` (`tenant_id`, `sku`)');
    });
    this.addSql('drop table if exists `category`');
  }

  /**
   * SQLite cannot add a foreign key of two columns to a table that exists, and to drop a table is to delete its rows: what
   * refers to them is set aside first, or it would go with them.
   */
  #rebuildProducts(create: () => void): void {
    const all = ['product', ...REFERRERS];
    for (const table of all) this.addSql(`create temp table \`kept_${table}\` as select * from \`${table}\``);
    for (const table of REFERRERS.toReversed()) this.addSql(`delete from \`${table}\``);
    this.addSql('drop table `product`');
    create();
    this.addSql(`insert into \`product\` (${COLUMNS}) select ${COLUMNS} from \`kept_product\``);
    for (const table of REFERRERS) this.addSql(`insert into \`${table}\` select * from \`kept_${table}\``);
    for (const table of all) this.addSql(`drop table \`kept_${table}\``);
  }
}
