import { Migration } from '@mikro-orm/migrations';

export class Migration20261120122000IdempotencyRecords extends Migration {
  override up(): void {
    this.addSql(
      'create table `idempotency_record` (`tenant_id` text not null, `id` text not null, `scope` text not null, `fingerprint` text not null, `claim` text not null, `claimed_at` datetime not null, `status` integer null, `headers` text null, `body` text null, `created_at` datetime not null, primary key (`tenant_id`, `id`))',
    );
    this.addSql(
      'create index `idempotency_record_tenant_id_created_at_index` on `idempotency_record` (`tenant_id`, `created_at`)',
    );
    this.addSql(
      'create unique index `idempotency_record_tenant_id_scope_unique` on `idempotency_record` (`tenant_id`, `scope`)',
    );
  }

  override down(): void {
    this.addSql('drop table if exists `idempotency_record`');
  }
}
