import { Migration } from '@mikro-orm/migrations';

export class Migration20261125170000Slots extends Migration {
  override up(): void {
    this.addSql(
      'create table `shard` (`id` text not null primary key, `weight` integer not null, `state` text not null)',
    );
    this.addSql('create table `slot_map` (`id` integer not null primary key, `epoch` integer not null)');
    this.addSql(
      'create table `slot_range` (`first_slot` integer not null primary key, `last_slot` integer not null, `shard_id` text not null)',
    );
  }

  override down(): void {
    this.addSql('drop table if exists `slot_range`');
    this.addSql('drop table if exists `slot_map`');
    this.addSql('drop table if exists `shard`');
  }
}
