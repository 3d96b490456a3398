import { Migration } from '@mikro-orm/migrations';
import { rowSecuritySql } from '#libs/tenancy';
import { linkTags } from '../link-tags.js';

export class Migration20261125160000Catalogue extends Migration {
  override async up(): Promise<void> {
    this.addSql(
      'create table "category" ("tenant_id" uuid not null, "id" uuid not null, "name" varchar(100) not null, "parent_id" uuid null, "version" int not null default 1, "created_at" timestamptz(3) not null, primary key ("tenant_id", "id"))',
    );
    this.addSql('create index "category_tenant_id_name_index" on "category" ("tenant_id", "name")');
    this.addSql('create index "category_tenant_id_parent_id_index" on "category" ("tenant_id", "parent_id")');
    this.addSql(
      'create table "tag" ("tenant_id" uuid not null, "id" uuid not null, "name" varchar(50) not null, "word_key" uuid not null, "description" varchar(500) null, "version" int not null default 1, "created_at" timestamptz(3) not null, primary key ("tenant_id", "id"))',
    );
    this.addSql('create index "tag_tenant_id_name_index" on "tag" ("tenant_id", "name")');
    this.addSql('alter table "tag" add constraint "tag_tenant_id_word_key_unique" unique ("tenant_id", "word_key")');
    this.addSql(
      'create table "product_tag" ("tenant_id" uuid not null, "product_id" uuid not null, "tag_id" uuid not null, primary key ("tenant_id", "product_id", "tag_id"))',
    );
    this.addSql('create index "product_tag_tenant_id_tag_id_index" on "product_tag" ("tenant_id", "tag_id")');
    this.addSql('alter table "product" add "category_id" uuid null');
    this.addSql(
      'alter table "product" add constraint "product_tenant_id_category_id_foreign" foreign key ("tenant_id", "category_id") references "category" ("tenant_id", "id") on update restrict on delete restrict',
    );
    this.addSql('create index "product_tenant_id_category_id_index" on "product" ("tenant_id", "category_id")');
    this.addSql(
      'alter table "category" add constraint "category_tenant_id_parent_id_foreign" foreign key ("tenant_id", "parent_id") references "category" ("tenant_id", "id") on update restrict on delete restrict',
    );
    this.addSql(
      'alter table "product_tag" add constraint "product_tag_tenant_id_product_id_foreign" foreign key ("tenant_id", "product_id") references "product" ("tenant_id", "id") on update restrict on delete cascade',
    );
    this.addSql(
      'alter table "product_tag" add constraint "product_tag_tenant_id_tag_id_foreign" foreign key ("tenant_id", "tag_id") references "tag" ("tenant_id", "id") on update restrict on delete cascade',
    );
    await linkTags(this, this.config.getPlatform());
    for (const sql of ['category', 'tag', 'product_tag'].flatMap((table) => rowSecuritySql(table))) this.addSql(sql);
  }

  override down(): void {
    this.addSql('drop table if exists "product_tag" cascade');
    this.addSql('drop table if exists "tag" cascade');
    this.addSql('alter table "product" drop column "category_id"');
    this.addSql('drop table if exists "category" cascade');
  }
}
