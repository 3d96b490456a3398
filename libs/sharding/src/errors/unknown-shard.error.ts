import type { ShardId } from '../registry/shard-definition.js';
import { ShardingError } from './sharding.error.js';

/** A shard id that no configured shard has: from a placement, a pin, or a chooser. Thrown before any SQL is sent. */
export class UnknownShardError extends ShardingError {
  readonly code = 'unknown_shard';

  constructor(
    readonly shardId: ShardId,
    readonly known: readonly ShardId[],
  ) {
    super(
      `No shard is called "${String(shardId)}"; there are: ${known.join(', ') || 'none'}. ` +
        'Add it to SHARDS, or correct the placement or chooser that named it.',
    );
  }
}
