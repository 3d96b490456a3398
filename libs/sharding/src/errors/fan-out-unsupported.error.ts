import { ShardingError } from './sharding.error.js';

/**
 * A query over several shards whose parts cannot be put together to the exact answer. Thrown before any SQL is sent, except
 * for a page whose sort keys turn out to be too long for a cursor.
 */
export class FanOutUnsupportedError extends ShardingError {
  readonly code = 'fan_out_unsupported';

  constructor(problem: string) {
    super(`${problem} Narrow the query to one shard by its shard key or the option "shard".`);
  }
}
