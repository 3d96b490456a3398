import type { ShardId } from '../registry/shard-definition.js';
import { ShardingError } from './sharding.error.js';

/** Two-phase commit was asked for where it is not to be had. Thrown before any SQL is sent to the shard. */
export class AtomicUnsupportedError extends ShardingError {
  readonly code = 'atomic_unsupported';

  constructor(
    problem: string,
    readonly shardId?: ShardId,
    options?: ErrorOptions,
  ) {
    super(
      `${problem} For the mode 'atomic' every shard that takes part must be able to prepare a transaction. Use 'multi', ` +
        "which commits shard after shard and reports what was committed, or keep the change on one shard ('single').",
      options,
    );
  }
}
