import { Migration } from '@mikro-orm/migrations';

export class Migration20261125190000PlacementMoves extends Migration {
  override up(): void {
    this.addSql(
      'create table "placement_move" ("id" uuid not null, "tenant_id" uuid not null, "source" varchar(500) not null, "target" varchar(500) not null, "stage" varchar(20) not null, "since" timestamptz(3) not null, primary key ("id"))',
    );
    this.addSql('create index "placement_move_tenant_id_index" on "placement_move" ("tenant_id")');
  }

  override down(): void {
    this.addSql('drop table if exists "placement_move" cascade');
  }
}
