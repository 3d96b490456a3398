import { Injectable } from '@nestjs/common';
import { getEngine } from '#libs/persistence';
import { type ShardId, ShardRegistry } from '#libs/sharding';
import { RowSecurity } from '#libs/tenancy';
import { AppConfig } from '../config/app.config.js';
import { ShardReadiness } from './shard-readiness.js';

/** Row-level security of the shards that are PostgreSQL: gives the role of requests what it needs, and checks the rest. */
@Injectable()
export class ShardRowSecurity {
  constructor(
    private readonly config: AppConfig,
    private readonly shards: ShardRegistry,
    private readonly readiness: ShardReadiness,
  ) {}

  /**
   * At start-up, after the migrations; shards that wait to be brought up to date are left for later.
   * @throws {RowSecurityError} for the first shard that would not keep tenants apart; it says what to run
   */
  async enforce(): Promise<void> {
    for (const id of this.shards.ids) {
      if (!this.readiness.waiting.includes(id)) await this.enforceOn(id);
    }
  }

  /** @throws {RowSecurityError} */
  async enforceOn(id: ShardId): Promise<void> {
    const { databaseRole } = this.config;
    if (databaseRole === undefined || getEngine(this.shards.definition(id).url).name !== 'postgresql') return;
    const security = new RowSecurity(databaseRole);
    const orm = this.shards.get(id);
    await security.prepare({ id, orm });
    await security.assert({ id, orm });
  }
}
