import type { ShardId } from '../registry/shard-definition.js';
import { ShardingError } from './sharding.error.js';

/** One primary key was found on several shards, and nothing says which row is meant. */
export class AmbiguousIdentityError extends ShardingError {
  readonly code = 'ambiguous_identity';

  constructor(
    readonly entityName: string,
    readonly shardIds: readonly ShardId[],
  ) {
    super(
      `There is a ${entityName} of this primary key on each of the shards ${shardIds.join(', ')}. ` +
        'Name one with the option "shard", or ask for all with find().',
    );
  }
}
