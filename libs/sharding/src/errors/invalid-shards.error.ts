import { ShardingError } from './sharding.error.js';

/** The list of shards cannot be used. Thrown while configuration is read; URLs may hold passwords and are not repeated. */
export class InvalidShardsError extends ShardingError {
  readonly code = 'invalid_shards';

  /** @param problems one sentence each, all that were found */
  constructor(readonly problems: readonly string[]) {
    super(
      `The shards are not configured rightly: ${problems.join(' ')} ` +
        'The form is SHARDS=shard-1=<url>,shard-2=<url>,shard-1.replica=<url>; a comma inside a URL is written %2C.',
    );
  }
}
