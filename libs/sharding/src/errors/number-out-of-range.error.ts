import { ShardingError } from './sharding.error.js';

/** A sum of integers that a JavaScript number cannot hold exactly. Rather an error than a rounded amount. */
export class NumberOutOfRangeError extends ShardingError {
  readonly code = 'number_out_of_range';

  constructor(readonly result: string) {
    super(`The result "${result}" is beyond 2^53. Map the property as bigint or decimal to get it as text.`);
  }
}
