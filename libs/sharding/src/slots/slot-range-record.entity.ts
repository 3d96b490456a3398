import { PrimaryKeyProp } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { ShardId } from '../registry/shard-definition.js';
import type { Slot } from './slot.js';
import type { SlotRange } from './slot-table.js';

/** Neighbouring slots of one shard, both ends included. All ranges together are the slot table. */
@Entity({ tableName: 'slot_range' })
export class SlotRangeRecord implements SlotRange {
  [PrimaryKeyProp]?: 'first';

  @PrimaryKey({ type: 'integer', fieldName: 'first_slot', autoincrement: false })
  readonly first: Slot;

  @Property({ type: 'integer', fieldName: 'last_slot' })
  readonly last: Slot;

  @Property({ type: 'string', length: 60 })
  readonly shardId: ShardId;

  constructor({ first, last, shardId }: SlotRange) {
    this.first = first;
    this.last = last;
    this.shardId = shardId;
  }
}
