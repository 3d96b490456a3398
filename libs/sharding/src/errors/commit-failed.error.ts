import type { ShardId } from '../registry/shard-definition.js';
import { ShardingError } from './sharding.error.js';

/** What became of each shard when a commit over several of them failed. */
export interface CommitOutcome {
  readonly committed: readonly ShardId[];
  /** Refused to commit; rolled back there. */
  readonly failed: readonly ShardId[];
  /** The connection broke while committing: only the database knows. */
  readonly unknown: readonly ShardId[];
  /** Not yet asked when another failed; rolled back. */
  readonly rolledBack: readonly ShardId[];
}

/** A commit over several shards failed; `outcome` tells what is stored where. The unit of work can only be cleared. */
export class CommitFailedError extends ShardingError {
  readonly code = 'commit_failed';

  constructor(
    readonly outcome: CommitOutcome,
    { isAtomic = false, ...options }: ErrorOptions & { readonly isAtomic?: boolean } = {},
  ) {
    const list = (ids: readonly ShardId[]) => ids.join(', ') || 'none';
    // All of an atomic transaction, or nothing of it: the recoverer finds out which.
    const remedy = isAtomic
      ? 'It becomes all or nothing by itself once the home shard answers; look before you repeat it.'
      : 'Repair by hand or by a repeatable job.';
    super(
      `The commit failed. Committed: ${list(outcome.committed)}; failed: ${list(outcome.failed)}; unknown: ` +
        `${list(outcome.unknown)}; rolled back: ${list(outcome.rolledBack)}. ${remedy}`,
      options,
    );
  }
}
