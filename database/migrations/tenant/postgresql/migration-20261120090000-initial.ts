import { Migration } from '@mikro-orm/migrations';

export class Migration20261120090000Initial extends Migration {
  override up(): void {
    this.addSql(
      'create table "audit_entry" ("tenant_id" uuid not null, "id" uuid not null, "occurred_at" timestamptz(3) not null, "action" varchar(60) not null, "entity_name" varchar(100) null, "entity_id" varchar(200) null, "changes" text not null, "actor_id" varchar(100) null, "actor_type" varchar(20) not null, "actor_email" varchar(320) null, "on_behalf_of" varchar(100) null, "request_id" varchar(100) null, "route" varchar(200) null, "method" varchar(10) null, "ip" varchar(45) null, "user_agent" varchar(300) null, "reason" varchar(500) null, primary key ("tenant_id", "id"))',
    );
    this.addSql(
      'create index "audit_entry_tenant_id_entity_name_entity_id_index" on "audit_entry" ("tenant_id", "entity_name", "entity_id")',
    );
    this.addSql(
      'create table "product" ("tenant_id" uuid not null, "id" uuid not null, "type" varchar(20) not null, "sku" varchar(100) not null, "name" varchar(255) not null, "price_amount" bigint not null, "price_currency" varchar(3) not null, "stock" int not null, "tags" text not null, "version" int not null default 1, "created_at" timestamptz(3) not null, "updated_at" timestamptz(3) not null, primary key ("tenant_id", "id"))',
    );
    this.addSql('create index "product_tenant_id_name_index" on "product" ("tenant_id", "name")');
    this.addSql('create index "product_tenant_id_created_at_index" on "product" ("tenant_id", "created_at")');
    this.addSql('alter table "product" add constraint "product_tenant_id_sku_unique" unique ("tenant_id", "sku")');
    this.addSql(
      'create table "book" ("isbn" varchar(13) not null, "tenant_id" uuid not null, "id" uuid not null, primary key ("tenant_id", "id"))',
    );
    this.addSql(
      'create table "electronic" ("warranty_months" int not null, "tenant_id" uuid not null, "id" uuid not null, primary key ("tenant_id", "id"))',
    );
    this.addSql(
      'create table "digital_product" ("download_size_kb" bigint null, "tenant_id" uuid not null, "id" uuid not null, primary key ("tenant_id", "id"))',
    );
    this.addSql(
      'alter table "book" add constraint "book_tenant_id_id_foreign" foreign key ("tenant_id", "id") references "product" ("tenant_id", "id") on update cascade on delete cascade',
    );
    this.addSql(
      'alter table "electronic" add constraint "electronic_tenant_id_id_foreign" foreign key ("tenant_id", "id") references "product" ("tenant_id", "id") on update cascade on delete cascade',
    );
    this.addSql(
      'alter table "digital_product" add constraint "digital_product_tenant_id_id_foreign" foreign key ("tenant_id", "id") references "product" ("tenant_id", "id") on update cascade on delete cascade',
    );
  }

  override down(): void {
    this.addSql('drop table if exists "digital_product" cascade');
    this.addSql('drop table if exists "electronic" cascade');
    this.addSql('drop table if exists "book" cascade');
    this.addSql('drop table if exists "product" cascade');
    this.addSql('drop table if exists "audit_entry" cascade');
  }
}
