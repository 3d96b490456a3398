import { ShardingError } from './sharding.error.js';

/** The shard key of a stored row was changed: the row would stay on a shard where nobody looks for it. No SQL was sent. */
export class ShardKeyChangedError extends ShardingError {
  readonly code = 'shard_key_changed';

  constructor(
    readonly entityName: string,
    readonly property: string,
  ) {
    super(
      `${entityName}.${property} decides on which shard the row lives and cannot change. ` +
        'Remove the entity and create it anew under the other key.',
    );
  }
}
