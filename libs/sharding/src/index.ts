export { InvalidShardsError } from './errors/invalid-shards.error.js';
export { InvalidSlotsError } from './errors/invalid-slots.error.js';
export { ShardClosedError } from './errors/shard-closed.error.js';
export { ShardingError } from './errors/sharding.error.js';
export { UnknownShardError } from './errors/unknown-shard.error.js';
export { parseShards } from './registry/parse-shards.js';
export type { ShardDefinition, ShardId } from './registry/shard-definition.js';
export type { ShardHealth } from './registry/shard-health.js';
export { ShardRegistry, type ShardRegistryOptions } from './registry/shard-registry.js';
export type { ShardOrm } from './registry/shared-discovery.js';
export { SLOT_COUNT, type Slot, slotOf } from './slots/slot.js';
export {
  applySlotMoves,
  createSlotTable,
  fromSlotRanges,
  planSlotMoves,
  type ShardWeights,
  type SlotMove,
  type SlotRange,
  type SlotTable,
  toSlotRanges,
} from './slots/slot-table.js';
