import type { ShardId } from '../registry/shard-definition.js';

/**
 * - `single` (default): writes go to one shard, else the flush is refused before any SQL.
 * - `multi`: every shard's changes are sent before the first commit; then they commit one after another in a fixed order,
 *   the home shard last. A failure between two commits is reported with what was committed.
 * - `atomic`: two-phase commit, all or nothing also across a crash; not on sqlite. Run a `TransactionRecoverer` with it.
 */
export type TransactionMode = 'single' | 'multi' | 'atomic';

/** How a flush or a transaction treats several shards. */
export interface TransactionOptions {
  readonly mode?: TransactionMode;
  /**
   * `multi`: committed last: put there what tells that the whole is done. Default: configured order.
   * `atomic`: its own commit decides, and it keeps the decision. Default: the first shard that takes part.
   */
  readonly homeShard?: ShardId;
}
