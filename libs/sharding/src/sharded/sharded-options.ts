import type { CountOptions, FilterQuery, FindOneOptions, FindOptions } from '@mikro-orm/core';
import type { TransactionOptions } from '../flush/transaction-mode.js';
import type { ShardPin } from '../routing/router.js';

/** What every call takes that may go to several shards. */
export interface ShardCallOptions {
  /** Ask this shard and no chooser. */
  readonly shard?: ShardPin;
  /** Milliseconds for all shards together. Default: that of the factory. */
  readonly deadlineMs?: number;
}

/** MikroORM's find options and ours. */
export type ShardedFindOptions<E extends object, P extends string = never> = FindOptions<E, P, string, never> &
  ShardCallOptions;

/** MikroORM's findOne options and ours. */
export type ShardedFindOneOptions<E extends object, P extends string = never> = FindOneOptions<E, P, string, never> &
  ShardCallOptions;

/** MikroORM's ways to say which part of the rows is wanted. */
type PartOptions = 'limit' | 'offset' | 'first' | 'last' | 'after' | 'before' | 'includeCount';

/** A page behind a cursor: `limit` and `offset` are not among them. */
export type ShardedCursorOptions<E extends object, P extends string = never> = Omit<
  ShardedFindOptions<E, P>,
  PartOptions
> & {
  readonly where?: FilterQuery<NoInfer<E>>;
  /** Rows at most, 1 or more. */
  readonly first: number;
  /** Cursor of the page before; nothing for the first one. */
  readonly after?: string | null;
};

/** All rows, in chunks. */
export type ShardedStreamOptions<E extends object, P extends string = never> = Omit<
  ShardedFindOptions<E, P>,
  PartOptions
> & {
  readonly where?: FilterQuery<NoInfer<E>>;
  /** Rows of each shard in memory at a time. Default 500. */
  readonly chunkSize?: number;
};

/** MikroORM's count options and ours. */
export type ShardedCountOptions<E extends object> = CountOptions<E> & ShardCallOptions;

/** A write that may go to several shards: refused in the mode `single`. */
export type ShardedWriteOptions = ShardCallOptions & TransactionOptions;

/** Raw SQL: `all` gives the rows, `run` what the driver says of a write (`affectedRows`). Default `all`. */
export interface ShardedExecuteOptions extends ShardCallOptions {
  readonly method?: 'all' | 'run';
}
