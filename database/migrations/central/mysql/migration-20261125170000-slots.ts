import { Migration } from '@mikro-orm/migrations';

export class Migration20261125170000Slots extends Migration {
  override up(): void {
    this.addSql(
      'create table `shard` (`id` varchar(60) not null, `weight` int not null, `state` varchar(20) not null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql(
      'create table `slot_map` (`id` int unsigned not null, `epoch` int not null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql(
      'create table `slot_range` (`first_slot` int unsigned not null, `last_slot` int not null, `shard_id` varchar(60) not null, primary key (`first_slot`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
  }

  override down(): void {
    this.addSql('drop table if exists `slot_range`');
    this.addSql('drop table if exists `slot_map`');
    this.addSql('drop table if exists `shard`');
  }
}
