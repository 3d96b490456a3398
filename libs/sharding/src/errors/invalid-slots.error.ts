import { ShardingError } from './sharding.error.js';

/** Weights, ranges or moves of slots that do not give each of the 4096 slots one shard. Thrown before anything changes. */
export class InvalidSlotsError extends ShardingError {
  readonly code = 'invalid_slots';

  constructor(problem: string) {
    super(`${problem} Read the slot table again ("npm run rowhouse -- slot show") and correct the input.`);
  }
}
