import { ShardingError } from './sharding.error.js';

/** Nothing tells on which shard to work: no shard key, no pin, no chooser's answer. Thrown before any SQL is sent. */
export class ShardNotChosenError extends ShardingError {
  readonly code = 'shard_not_chosen';

  constructor(problem: string) {
    super(`${problem} Set the shard key, or name a shard with the option "shard".`);
  }
}
