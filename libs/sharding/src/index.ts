export type { Aggregate, AggregateQuery, AggregateRow } from './aggregate/aggregate-query.js';
export type {
  ChooserContext,
  Choosers,
  ExecuteChooser,
  IdentityChooser,
  ShardChooser,
  ShardQuery,
} from './choosers/choosers.js';
export {
  createShardKeyChoosers,
  type EveryShardRule,
  type ShardKeyDeclaration,
} from './choosers/shard-key.choosers.js';
export {
  directoryPlacement,
  moduloPlacement,
  type RangeBound,
  rangePlacement,
  type ShardKeyRange,
  type ShardKeyValue,
  type ShardPlacement,
  slotPlacement,
} from './choosers/shard-placement.js';
export type { ShardKeyRule } from './choosers/where-narrowing.js';
export { AmbiguousIdentityError } from './errors/ambiguous-identity.error.js';
export { AtomicUnsupportedError } from './errors/atomic-unsupported.error.js';
export { ChooserFailedError } from './errors/chooser-failed.error.js';
export { CommitFailedError, type CommitOutcome } from './errors/commit-failed.error.js';
export { CrossShardAssociationError } from './errors/cross-shard-association.error.js';
export { CrossShardWriteError } from './errors/cross-shard-write.error.js';
export { FanOutUnsupportedError } from './errors/fan-out-unsupported.error.js';
export { FlushInFlushError } from './errors/flush-in-flush.error.js';
export { ForeignEntityError } from './errors/foreign-entity.error.js';
export { InvalidShardCursorError } from './errors/invalid-shard-cursor.error.js';
export { InvalidShardsError } from './errors/invalid-shards.error.js';
export { InvalidSlotsError } from './errors/invalid-slots.error.js';
export { NumberOutOfRangeError } from './errors/number-out-of-range.error.js';
export { ReferenceEntityError } from './errors/reference-entity.error.js';
export { ShardClosedError } from './errors/shard-closed.error.js';
export { ShardKeyChangedError } from './errors/shard-key-changed.error.js';
export { ShardNotChosenError } from './errors/shard-not-chosen.error.js';
export { ShardUnavailableError } from './errors/shard-unavailable.error.js';
export { ShardingError } from './errors/sharding.error.js';
export { SlotOccupiedError } from './errors/slot-occupied.error.js';
export { TooManyGroupsError } from './errors/too-many-groups.error.js';
export { UnitOfWorkBrokenError } from './errors/unit-of-work-broken.error.js';
export { UnknownShardError } from './errors/unknown-shard.error.js';
export type { FanOutLimits } from './fan-out/fan-out.js';
export { isUnavailable, toShardError } from './fan-out/shard-failure.js';
export type { TransactionMode, TransactionOptions } from './flush/transaction-mode.js';
export type { PartialRows } from './ordered/ordered-find.js';
export type { CircuitState } from './registry/circuit-breaker.js';
export { parseShards } from './registry/parse-shards.js';
export type { ShardFigures } from './registry/shard-counter.js';
export type { ShardDefinition, ShardId } from './registry/shard-definition.js';
export type { ShardHealth } from './registry/shard-health.js';
export type { ShardPatience } from './registry/shard-patience.js';
export { type BesideOptions, ShardRegistry, type ShardRegistryOptions } from './registry/shard-registry.js';
export type { ShardOrm } from './registry/shared-discovery.js';
export type { Route, RouteReason, ShardPin } from './routing/router.js';
export { findRows, type RowQuery, type ShardedRows } from './rows/find-rows.js';
export type { RowSource, SourcesBeside } from './rows/row-source.js';
export type { ShardedPage } from './sharded/keyset-reader.js';
export {
  type CreateOptions,
  createShardedEntityManagerFactory,
  type ShardedEntityManagerFactory,
  type ShardedEntityManagerFactoryOptions,
} from './sharded/sharded-entity-manager.factory.js';
export { ShardedEntityManager } from './sharded/sharded-entity-manager.js';
export type {
  ShardCallOptions,
  ShardedCountOptions,
  ShardedCursorOptions,
  ShardedExecuteOptions,
  ShardedFindOneOptions,
  ShardedFindOptions,
  ShardedStreamOptions,
  ShardedWriteOptions,
} from './sharded/sharded-options.js';
export { ShardRecord } from './slots/shard-record.entity.js';
export { SLOT_COUNT, type Slot, slotOf } from './slots/slot.js';
export { type Rebalance, SlotDirectory, type StoredSlots } from './slots/slot-directory.js';
export { SlotMapRecord } from './slots/slot-map-record.entity.js';
export { type Occupant, type OccupiedSlot, SlotOccupants } from './slots/slot-occupants.js';
export { SlotRangeRecord } from './slots/slot-range-record.entity.js';
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
export { assertAtomicReady } from './two-phase/atomic-shards.js';
export { DECISION_TABLE_DDL, DECISION_TABLE_UPGRADE_DDL } from './two-phase/decision-log.js';
export {
  type RecovererOptions,
  type Recovery,
  type ShardInDoubt,
  TransactionRecoverer,
} from './two-phase/transaction-recoverer.js';
