import { Injectable } from '@nestjs/common';
import { getEngine } from '#libs/persistence';
import { ShardRegistry } from '#libs/sharding';
import { RowSecurity } from '#libs/tenancy';
import { AppConfig } from '../config/app.config.js';

/** Row-level security of the shards that are PostgreSQL: gives the role of requests what it needs, and checks the rest. */
@Injectable()
export class ShardRowSecurity {
  constructor(
    private readonly config: AppConfig,
    private readonly shards: ShardRegistry,
  ) {}

  /**
   * At start-up, after the migrations.
   * @throws {RowSecurityError} for the first shard that would not keep tenants apart; it says what to run
   */
  async enforce(): Promise<void> {
    const { databaseRole } = this.config;
    if (databaseRole === undefined) return;
    const security = new RowSecurity(databaseRole);
    for (const { id, orm } of this.shards.all()) {
      if (getEngine(this.shards.definition(id).url).name !== 'postgresql') continue;
      await security.prepare({ id, orm });
      await security.assert({ id, orm });
    }
  }
}
