import { ShardingError } from './sharding.error.js';

/** A write would leave the shards with different copies of a reference entity. Thrown before any SQL is sent. */
export class ReferenceEntityError extends ShardingError {
  readonly code = 'reference_entity';

  constructor(
    readonly entityName: string,
    problem: string,
  ) {
    super(
      `${problem}: every shard holds a copy of each ${entityName}. Write it by insertMany, bulkInsert, nativeUpdate or ` +
        'nativeDelete, with its primary key and without naming a shard: they write all copies.',
    );
  }
}
