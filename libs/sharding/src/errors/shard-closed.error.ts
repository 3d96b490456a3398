import type { ShardId } from '../registry/shard-definition.js';
import { ShardingError } from './sharding.error.js';

/** An EntityManager was used after its shard was closed. Left alone it would open a pool that nobody counts or closes. */
export class ShardClosedError extends ShardingError {
  readonly code = 'shard_closed';
  /** Another process may serve the next try. */
  readonly retryAfterSeconds = 1;

  constructor(readonly shardId: ShardId) {
    super(`The shard "${shardId}" is closed in this process. Take a new EntityManager from an open registry.`);
  }
}
