import type { ShardId } from '../registry/shard-definition.js';
import { ShardingError } from './sharding.error.js';

/** Changes for several shards in a unit of work that may write to one. Thrown before any SQL is sent; nothing is lost. */
export class CrossShardWriteError extends ShardingError {
  readonly code = 'cross_shard_write';

  constructor(readonly shardIds: readonly ShardId[]) {
    super(
      `There are changes for the shards ${shardIds.join(', ')}, and this unit of work writes to one. ` +
        "Flush with { mode: 'multi' } to commit them one after another, or change one shard at a time.",
    );
  }
}
