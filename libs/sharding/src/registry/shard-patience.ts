/** How long a shard that is a server may keep callers waiting, and when it is left alone for a while. */
export interface ShardPatience {
  /** Opening a connection, or waiting for a free one, in milliseconds. Default 5 000. */
  readonly connectMs?: number;
  /**
   * One statement, in milliseconds. What takes longer is cut off and counts as a failure of the shard, so leave room for
   * the slowest report. Migrations and other work of the kit itself are not bounded. Default 30 000.
   */
  readonly answerMs?: number;
  /** Failures in a row after which nobody is sent to the shard for a while. Default 3. */
  readonly failures?: number;
  /** How long, in milliseconds, before one caller is let through to try again. Default 1 000. */
  readonly pauseMs?: number;
}

export const DEFAULT_PATIENCE: Required<ShardPatience> = {
  connectMs: 5_000,
  answerMs: 30_000,
  failures: 3,
  pauseMs: 1_000,
};
