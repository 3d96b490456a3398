import { Migration } from '@mikro-orm/migrations';

export class Migration20261120110000Shop extends Migration {
  override up(): void {
    this.addSql(
      'create table "shop_order" ("tenant_id" uuid not null, "id" uuid not null, "status" varchar(20) not null, "total_amount" bigint not null, "total_currency" varchar(3) not null, "version" int not null default 1, "created_at" timestamptz(3) not null, "paid_at" timestamptz(3) null, primary key ("tenant_id", "id"))',
    );
    this.addSql(
      'create table "order_line" ("tenant_id" uuid not null, "id" uuid not null, "order_id" uuid not null, "product_id" uuid not null, "quantity" int not null, "unit_price_amount" bigint not null, "unit_price_currency" varchar(3) not null, primary key ("tenant_id", "id"))',
    );
    this.addSql('create index "order_line_tenant_id_order_id_index" on "order_line" ("tenant_id", "order_id")');
    this.addSql('create index "order_line_tenant_id_product_id_index" on "order_line" ("tenant_id", "product_id")');
    this.addSql(
      'create table "wallet" ("tenant_id" uuid not null, "id" uuid not null, "currency" varchar(3) not null, "balance" bigint not null, "version" int not null default 1, "created_at" timestamptz(3) not null, "updated_at" timestamptz(3) not null, primary key ("tenant_id", "id"))',
    );
    this.addSql('alter table "wallet" add constraint "wallet_balance_check" check (balance >= 0)');
    this.addSql(
      'create table "transfer" ("tenant_id" uuid not null, "id" uuid not null, "from_wallet_id" uuid not null, "to_wallet_id" uuid not null, "amount" bigint not null, "currency" varchar(3) not null, "created_at" timestamptz(3) not null, primary key ("tenant_id", "id"))',
    );
    this.addSql('create index "transfer_tenant_id_from_wallet_id_index" on "transfer" ("tenant_id", "from_wallet_id")');
    this.addSql('create index "transfer_tenant_id_to_wallet_id_index" on "transfer" ("tenant_id", "to_wallet_id")');
    this.addSql(
      'create table "payment" ("tenant_id" uuid not null, "id" uuid not null, "method" varchar(20) not null, "order_id" uuid not null, "amount" bigint not null, "currency" varchar(3) not null, "created_at" timestamptz(3) not null, "wallet_id" uuid null, "last_four" varchar(4) null, "token" varchar(200) null, primary key ("tenant_id", "id"))',
    );
    this.addSql('create index "payment_tenant_id_order_id_index" on "payment" ("tenant_id", "order_id")');
    this.addSql('create index "payment_tenant_id_wallet_id_index" on "payment" ("tenant_id", "wallet_id")');
    this.addSql(
      'alter table "order_line" add constraint "order_line_tenant_id_order_id_foreign" foreign key ("tenant_id", "order_id") references "shop_order" ("tenant_id", "id") on update restrict on delete restrict',
    );
    this.addSql(
      'alter table "order_line" add constraint "order_line_tenant_id_product_id_foreign" foreign key ("tenant_id", "product_id") references "product" ("tenant_id", "id") on update restrict on delete restrict',
    );
    this.addSql(
      'alter table "transfer" add constraint "transfer_tenant_id_from_wallet_id_foreign" foreign key ("tenant_id", "from_wallet_id") references "wallet" ("tenant_id", "id") on update restrict on delete restrict',
    );
    this.addSql(
      'alter table "transfer" add constraint "transfer_tenant_id_to_wallet_id_foreign" foreign key ("tenant_id", "to_wallet_id") references "wallet" ("tenant_id", "id") on update restrict on delete restrict',
    );
    this.addSql(
      'alter table "payment" add constraint "payment_tenant_id_order_id_foreign" foreign key ("tenant_id", "order_id") references "shop_order" ("tenant_id", "id") on update restrict on delete restrict',
    );
    this.addSql(
      'alter table "payment" add constraint "payment_tenant_id_wallet_id_foreign" foreign key ("tenant_id", "wallet_id") references "wallet" ("tenant_id", "id") on update restrict on delete restrict',
    );
  }

  override down(): void {
    this.addSql('drop table if exists "payment" cascade');
    this.addSql('drop table if exists "transfer" cascade');
    this.addSql('drop table if exists "wallet" cascade');
    this.addSql('drop table if exists "order_line" cascade');
    this.addSql('drop table if exists "shop_order" cascade');
  }
}
