import type { ShardId } from '../registry/shard-definition.js';
import { ShardingError } from './sharding.error.js';

/**
 * A shard cannot be reached or did not answer in time. Only work on this shard is affected; it may be repeated later.
 * Whatever was under way in a transaction is not stored, unless this was thrown by its commit: then only the database
 * knows.
 */
export class ShardUnavailableError extends ShardingError {
  readonly code = 'shard_unavailable';
  /** When it is worth trying again, in whole seconds from now; at least 1. */
  readonly retryAfterSeconds: number;

  constructor(
    readonly shardId: ShardId,
    why: string,
    { retryAfterMs = 0, ...options }: ErrorOptions & { readonly retryAfterMs?: number } = {},
  ) {
    super(`Shard "${shardId}" is not available: ${why}. Other shards are not affected; try again later.`, options);
    this.retryAfterSeconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  }
}
