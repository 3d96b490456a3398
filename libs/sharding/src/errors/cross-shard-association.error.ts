import type { ShardId } from '../registry/shard-definition.js';
import { ShardingError } from './sharding.error.js';

/** A relation whose two ends live on two shards: no database could keep its foreign key. Thrown before any SQL is sent. */
export class CrossShardAssociationError extends ShardingError {
  readonly code = 'cross_shard_association';

  /** @param entityName class of the end that lives on `shardId`, and cannot be reached from `fromShardId` */
  constructor(
    readonly entityName: string,
    readonly shardId: ShardId,
    readonly fromShardId: ShardId,
  ) {
    super(
      `${entityName} lives on shard "${shardId}" and cannot be part of a relation on shard "${fromShardId}". ` +
        'Keep related rows under one shard key, or store the other key as a plain value and look it up.',
    );
  }
}
