import { Injectable } from '@nestjs/common';
import { assertAtomicReady, type ShardId, ShardRegistry } from '#libs/sharding';
import { AppConfig } from '../config/app.config.js';
import { ShardReadiness } from './shard-readiness.js';

/** What `SHARD_TRANSACTIONS=atomic` asks of the shards: that they keep prepared transactions, and decisions about them. */
@Injectable()
export class ShardTransactions {
  constructor(
    private readonly config: AppConfig,
    private readonly shards: ShardRegistry,
    private readonly readiness: ShardReadiness,
  ) {}

  /**
   * At start-up; shards that wait to be brought up to date are left for later.
   * @throws {AtomicUnsupportedError} for the first shard that is not set up for the mode; it says how to
   */
  async assertReady(): Promise<void> {
    const { waiting } = this.readiness;
    await this.assertReadyOn(this.shards.ids.filter((id) => !waiting.includes(id)));
  }

  /** @throws {AtomicUnsupportedError} */
  async assertReadyOn(ids: readonly ShardId[]): Promise<void> {
    if (this.config.shardTransactions === 'atomic') await assertAtomicReady(this.shards, ids);
  }
}
