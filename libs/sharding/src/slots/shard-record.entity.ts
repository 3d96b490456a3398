import type { Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { ShardId } from '../registry/shard-definition.js';

/** A shard that takes part in placement. Lives in the central database; where the shard is reached is configuration. */
@Entity({ tableName: 'shard' })
export class ShardRecord {
  @PrimaryKey({ type: 'string', length: 60 })
  readonly id: ShardId;

  /** Share of the slots, relative to the other shards; 0 while it is drained. */
  @Property({ type: 'integer' })
  weight: number;

  /** A draining shard takes no new tenants. */
  @Property({ type: 'string', length: 20 })
  state: ('active' | 'draining') & Opt = 'active';

  constructor(id: ShardId, weight: number) {
    this.id = id;
    this.weight = weight;
  }
}
