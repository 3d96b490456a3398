import { Migration } from '@mikro-orm/migrations';

export class Migration20261125190000PlacementMoves extends Migration {
  override up(): void {
    this.addSql(
      'create table `placement_move` (`id` text not null primary key, `tenant_id` text not null, `source` text not null, `target` text not null, `stage` text not null, `since` datetime not null)',
    );
    this.addSql('create index `placement_move_tenant_id_index` on `placement_move` (`tenant_id`)');
  }

  override down(): void {
    this.addSql('drop table if exists `placement_move`');
  }
}
