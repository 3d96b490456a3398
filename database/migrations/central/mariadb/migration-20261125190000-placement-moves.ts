import { Migration } from '@mikro-orm/migrations';

export class Migration20261125190000PlacementMoves extends Migration {
  override up(): void {
    this.addSql(
      'create table `placement_move` (`id` varchar(36) not null, `tenant_id` varchar(36) not null, `source` varchar(500) not null, `target` varchar(500) not null, `stage` varchar(20) not null, `since` datetime(3) not null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql('alter table `placement_move` add index `placement_move_tenant_id_index` (`tenant_id`)');
  }

  override down(): void {
    this.addSql('drop table if exists `placement_move`');
  }
}
