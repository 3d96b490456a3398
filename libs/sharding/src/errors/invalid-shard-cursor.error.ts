import { ShardingError } from './sharding.error.js';

/** A cursor that does not go on from a page of this very query: tampered with, of other shards, of another order. */
export class InvalidShardCursorError extends ShardingError {
  readonly code = 'invalid_shard_cursor';

  constructor(readonly problem: string) {
    super(`The cursor ${problem}. Start again without a cursor.`);
  }
}
