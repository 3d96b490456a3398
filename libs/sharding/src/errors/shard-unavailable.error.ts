import type { ShardId } from '../registry/shard-definition.js';
import { ShardingError } from './sharding.error.js';

/** A shard cannot be reached or did not answer in time. Only work on this shard is affected; it may be repeated later. */
export class ShardUnavailableError extends ShardingError {
  readonly code = 'shard_unavailable';

  constructor(
    readonly shardId: ShardId,
    why: string,
    options?: ErrorOptions,
  ) {
    super(`Shard "${shardId}" is not available: ${why}. Other shards are not affected; try again later.`, options);
  }
}
