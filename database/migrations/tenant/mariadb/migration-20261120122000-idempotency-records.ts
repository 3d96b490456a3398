import { Migration } from '@mikro-orm/migrations';

export class Migration20261120122000IdempotencyRecords extends Migration {
  override up(): void {
    this.addSql(
      'create table `idempotency_record` (`tenant_id` varchar(36) not null, `id` varchar(36) not null, `scope` varchar(64) not null, `fingerprint` varchar(64) not null, `claim` varchar(36) not null, `claimed_at` datetime(3) not null, `status` int null, `headers` longtext null, `body` longtext null, `created_at` datetime(3) not null, primary key (`tenant_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB',
    );
    this.addSql(
      'alter table `idempotency_record` add index `idempotency_record_tenant_id_created_at_index` (`tenant_id`, `created_at`)',
    );
    this.addSql(
      'alter table `idempotency_record` add unique `idempotency_record_tenant_id_scope_unique` (`tenant_id`, `scope`)',
    );
  }

  override down(): void {
    this.addSql('drop table if exists `idempotency_record`');
  }
}
