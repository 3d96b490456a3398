import { ShardingError } from './sharding.error.js';

/** Two-phase commit was asked for where it is not to be had. Thrown before any SQL is sent. */
export class AtomicUnsupportedError extends ShardingError {
  readonly code = 'atomic_unsupported';

  constructor() {
    super(
      "The mode 'atomic' is not available yet. Use 'multi', which commits shard after shard and reports what was " +
        "committed, or keep the change on one shard ('single').",
    );
  }
}
