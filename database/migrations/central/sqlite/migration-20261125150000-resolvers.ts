import { Migration } from '@mikro-orm/migrations';

/** What replaces what in `lookOf`, as far as SQL can say it: the slugs that are there already keep their looks to themselves. */
const LOOK =
  "replace(replace(replace(replace(replace(replace(replace(replace(`slug`, '0', 'o'), '1', 'l'), 'i', 'l'), 'rn', 'm'), 'vv', 'w'), '--', '-'), '--', '-'), '--', '-')";

export class Migration20261125150000Resolvers extends Migration {
  override up(): void {
    this.addSql(
      'create table `change_notice` (`id` text not null primary key, `at` datetime not null, `topic` text not null, `key` text not null)',
    );
    this.addSql('create index `change_notice_at_index` on `change_notice` (`at`)');
    this.addSql('create table `slug_look` (`look` text not null primary key, `slug` text not null)');
    this.addSql(
      'create table `tenant_domain` (`domain` text not null primary key, `tenant_id` text not null, `challenge` text not null, `verified_at` datetime null, `created_at` datetime not null)',
    );
    this.addSql('create index `tenant_domain_tenant_id_index` on `tenant_domain` (`tenant_id`)');
    this.addSql(`insert into slug_look (look, slug) select ${LOOK}, min(slug) from tenant group by ${LOOK}`);
  }

  override down(): void {
    this.addSql('drop table if exists `tenant_domain`');
    this.addSql('drop table if exists `slug_look`');
    this.addSql('drop table if exists `change_notice`');
  }
}
