import { Migration } from '@mikro-orm/migrations';

/** What replaces what in `lookOf`, as far as SQL can say it: the slugs that are there already keep their looks to themselves. */
const LOOK =
  "replace(replace(replace(replace(replace(replace(replace(replace(`slug`, '0', 'o'), '1', 'l'), 'i', 'l'), 'rn', 'm'), 'vv', 'w'), '--', '-'), '--', '-'), '--', '-')";

export class Migration20261125150000Resolvers extends Migration {
  override up(): void {
    this.addSql(
      'create table `change_notice` (`id` varchar(36) not null, `at` datetime(3) not null, `topic` varchar(40) not null, `key` varchar(253) not null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql('alter table `change_notice` add index `change_notice_at_index` (`at`)');
    this.addSql(
      'create table `slug_look` (`look` varchar(40) not null, `slug` varchar(40) not null, primary key (`look`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql(
      'create table `tenant_domain` (`domain` varchar(253) not null, `tenant_id` varchar(36) not null, `challenge` varchar(64) not null, `verified_at` datetime(3) null, `created_at` datetime(3) not null, primary key (`domain`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql('alter table `tenant_domain` add index `tenant_domain_tenant_id_index` (`tenant_id`)');
    this.addSql(`insert into slug_look (look, slug) select ${LOOK}, min(slug) from tenant group by ${LOOK}`);
  }

  override down(): void {
    this.addSql('drop table if exists `tenant_domain`');
    this.addSql('drop table if exists `slug_look`');
    this.addSql('drop table if exists `change_notice`');
  }
}
