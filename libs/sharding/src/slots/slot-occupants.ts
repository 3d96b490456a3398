import type { ShardId } from '../registry/shard-definition.js';
import type { Slot } from './slot.js';

/** A tenant that lives on a shard. */
export interface Occupant {
  /** What its slot is made from. */
  readonly key: string;
  /** What people call it. */
  readonly name: string;
}

/** A slot, and the tenants in it that live on its shard. */
export interface OccupiedSlot {
  readonly slot: Slot;
  readonly tenants: readonly string[];
}

/** Knows who lives where. The application binds it: this lib knows shards and no tenants. */
export abstract class SlotOccupants {
  /** Everybody whose rows are on the shard. */
  abstract listOn(shardId: ShardId): Promise<Occupant[]>;
}
