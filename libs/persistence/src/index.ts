export { assertOwnSessions } from './assert-own-sessions.js';
export { type AppendedRows, appendRows } from './bulk/append-rows.js';
export type {
  BulkChanges,
  BulkDeleteResult,
  BulkInsertResult,
  BulkOptions,
  BulkRow,
  BulkSelection,
  BulkUpdateOptions,
  BulkUpdateResult,
  BulkUpsertOptions,
  BulkUpsertResult,
  RowSource,
} from './bulk/bulk.options.js';
export { bulkDelete } from './bulk/bulk-delete.js';
export { bulkInsert } from './bulk/bulk-insert.js';
export { type BulkAssignment, bulkUpdate } from './bulk/bulk-update.js';
export { bulkUpsert } from './bulk/bulk-upsert.js';
export { type LinkKeys, type LinkTarget, PivotTable } from './bulk/pivot-table.js';
export { type StoredPage, StoredTable } from './bulk/stored-table.js';
export { CentralEntityManager } from './central-entity-manager.js';
export { CurrentEntityManager } from './current-entity-manager.js';
export type { DriverClass, Engine, EngineName, PoolOptions } from './engines/engine.js';
export { engineOf, engines, getEngine } from './engines/engines.js';
export type { Fence, FenceDialect } from './engines/fence-dialect.js';
export { LongTextType } from './engines/long-text.type.js';
export type { ConnectionInside, FoundPlace, PlaceDialect, SendStatement } from './engines/place-dialect.js';
export { type CheckOutWrapper, type PoolFigures, poolFiguresOf, wrapCheckOut } from './engines/pool-gate.js';
export type { StatementSettings } from './engines/statement-settings.js';
export { type SentStatement, watchStatements } from './engines/statement-watch.js';
export type { LockKind, LockWait } from './engines/transaction-dialect.js';
export type { BranchName, PreparedBranch, TwoPhaseDialect } from './engines/two-phase-dialect.js';
export type { Cut, Wire } from './engines/wire.js';

export { AppendOnly, isAppendOnly } from './entities/append-only.decorator.js';
export { DecimalTextType } from './entities/decimal-text.type.js';
export { compareJsonByContent } from './entities/json-comparison.js';
export { Money } from './entities/money.js';
export { newId } from './entities/new-id.js';
export { isSharedByTenants, SharedByTenants } from './entities/shared-by-tenants.decorator.js';
export { StringListType } from './entities/string-list.type.js';
export { TenantOwned } from './entities/tenant-owned.js';
export { AppendOnlyError } from './errors/append-only.error.js';
export { BulkKeyError } from './errors/bulk-key.error.js';
export { BulkRowError, type RowLocation } from './errors/bulk-row.error.js';
export { BulkUnsupportedError } from './errors/bulk-unsupported.error.js';
export { BulkWriteLostError } from './errors/bulk-write-lost.error.js';
export { ConnectionHeldError } from './errors/connection-held.error.js';
export { ConnectionMismatchError } from './errors/connection-mismatch.error.js';
export { EndlessChangesError } from './errors/endless-changes.error.js';
export { InvalidRowError } from './errors/invalid-row.error.js';
export { ItemNotLoadedError } from './errors/item-not-loaded.error.js';
export { LockUnavailableError } from './errors/lock-unavailable.error.js';
export { LockUnsupportedError } from './errors/lock-unsupported.error.js';
export { PersistenceError } from './errors/persistence.error.js';
export { PoolExhaustedError } from './errors/pool-exhausted.error.js';
export { ReadOnlyTransactionError } from './errors/read-only-transaction.error.js';
export { RowClassMismatchError } from './errors/row-class-mismatch.error.js';
export { type RowConstraint, RowConstraintError } from './errors/row-constraint.error.js';
export { RowMissingError } from './errors/row-missing.error.js';
export { RowTenantMismatchError } from './errors/row-tenant-mismatch.error.js';
export { RowVersionError } from './errors/row-version.error.js';
export { StorageFullError } from './errors/storage-full.error.js';
export { TransactionConflictError } from './errors/transaction-conflict.error.js';
export { TransactionNestingError } from './errors/transaction-nesting.error.js';
export { TransactionPoolerError } from './errors/transaction-pooler.error.js';
export { TransactionRequiredError } from './errors/transaction-required.error.js';
export { UnannouncedWriteError } from './errors/unannounced-write.error.js';
export { UnknownEngineError } from './errors/unknown-engine.error.js';
export { UnsavedChangesError } from './errors/unsaved-changes.error.js';
export { announceChanges, areChangesWanted, onCommit } from './events/announce-changes.js';
export { type AnnouncedWay, findAnnouncedWay, keepHooksApart, runAnnounced } from './events/announced-write.js';
export type { BulkRequest, BulkWrite } from './events/bulk-write.js';
export type { Change, ChangedValues, ChangeKind, CollectionChange, ReadableInChanges } from './events/change.js';
export { type ChangeEventsOptions, ChangeEventsSubscriber } from './events/change-events.subscriber.js';
export type { ChangeSubscriber } from './events/change-subscriber.js';
export { findInTransaction } from './events/find-in-transaction.js';
export { runInSavepoint } from './events/run-in-savepoint.js';
export type { TransactionScope } from './events/transaction-scope.js';
export { type WriteRule, WriteRules } from './events/write-rules.js';
export { exists } from './exists.js';
export { findByKey } from './finder/find-by-key.js';
export { type ChangeNotice, ChangeNotices, type Forget, LocalChangeNotices } from './notices/change-notices.js';
export { type OrmOverrides, ormOptions } from './orm-options.js';
export { type KeysetPosition, keysetAfter, keysetOrder, keysetPosition, type SortKey } from './paging/keyset.js';
export { type RowValue, type StreamedRow, type StreamRowsOptions, streamRows } from './paging/stream-rows.js';
export { containsText, hasItem } from './paging/text-match.js';
export { runAlone } from './run-alone.js';
export {
  runInSteps,
  type Step,
  type StepOptions,
  type StepProgress,
  type StepResult,
} from './steps/run-in-steps.js';
export { WorkProgress } from './steps/work-progress.entity.js';
export { type WorkThroughOptions, workThrough } from './steps/work-through.js';
export { findSystemFrame, isBoundedCall, runInSystemFrame, type SystemFrameOptions } from './system-frame.js';
export { bindUnitOfWork } from './transactions/bind-unit-of-work.js';
export { beginBranch, keepBranch, prepareBranch } from './transactions/branches.js';
export { findLocked, type LockOptions } from './transactions/find-locked.js';
export type { TransactionRetry } from './transactions/retry.js';
export type { IsolationLevel, Propagation, TransactionOptions } from './transactions/transaction.options.js';
export { Transactional } from './transactions/transactional.decorator.js';
export { type TransactionWork, transactional } from './transactions/transactional.js';
