import { ShardingError } from './sharding.error.js';

/** A chooser threw, or answered with something that is no shard id, or no list of them. Thrown before any SQL is sent. */
export class ChooserFailedError extends ShardingError {
  readonly code = 'chooser_failed';

  constructor(
    readonly chooser: 'shardChooser' | 'identityChooser' | 'executeChooser',
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`The ${chooser} ${problem}. Choosers are synchronous, and answer with ids of configured shards.`, options);
  }
}
