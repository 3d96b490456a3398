import { ShardingError } from './sharding.error.js';

/** An aggregate has more groups or distinct values than memory is given for. */
export class TooManyGroupsError extends ShardingError {
  readonly code = 'too_many_groups';

  constructor(readonly maxGroups: number) {
    super(`The aggregate has more than ${maxGroups} groups. Narrow its condition, or raise "maxGroups".`);
  }
}
