export { AuditModule } from './audit.module.js';
export { AUDIT_MODULE_OPTIONS, type AuditModuleOptions, type AuditRecorderOptions } from './audit.options.js';
export { AuditCheckpoint } from './entities/audit-checkpoint.entity.js';
export { AuditEntry } from './entities/audit-entry.entity.js';
export { AuditHold, type HoldScope } from './entities/audit-hold.entity.js';
export { AuditLog } from './entities/audit-log.entity.js';
export { AuditPurge } from './entities/audit-purge.entity.js';
export { AuditSeal } from './entities/audit-seal.entity.js';
export { AuditSubjectKey } from './entities/audit-subject-key.entity.js';
export { ErasedSubjectKey } from './entities/erased-subject-key.entity.js';
export { AuditErasure, type ErasureResult } from './erasure/audit-erasure.js';
export { ErasureReach } from './erasure/erasure-reach.js';
export { PersonalKeys } from './erasure/personal-keys.js';
export { AuditError } from './errors/audit.error.js';
export { AuditEntryNotFoundError } from './errors/audit-entry-not-found.error.js';
export { AuditPauseRefusedError } from './errors/audit-pause-refused.error.js';
export { AuditTrailReadonlyError } from './errors/audit-trail-readonly.error.js';
export { ErasureIncompleteError } from './errors/erasure-incomplete.error.js';
export { HoldNotFoundError } from './errors/hold-not-found.error.js';
export { InvalidCursorError } from './errors/invalid-cursor.error.js';
export { InvalidExportError } from './errors/invalid-export.error.js';
export { InvalidProofRangeError } from './errors/invalid-proof-range.error.js';
export { RetentionTooShortError } from './errors/retention-too-short.error.js';
export { type RevertConflict, RevertConflictError } from './errors/revert-conflict.error.js';
export { SealingNotConfiguredError } from './errors/sealing-not-configured.error.js';
export { TrailBrokenError } from './errors/trail-broken.error.js';
export { UnknownAuditKeyError } from './errors/unknown-audit-key.error.js';
export { UnknownAuditedPropertyError } from './errors/unknown-audited-property.error.js';
export { VersionNotFoundError } from './errors/version-not-found.error.js';
export { WitnessesMissingError } from './errors/witnesses-missing.error.js';
export { AuditExporter, type ExportQuery } from './export/audit-exporter.js';
export { linesOf } from './export/lines-of.js';
export { type ExportTrust, type ExportVerdict, verifyExport } from './export/verify-export.js';
export { Audited, type AuditedOptions, audited, NotAudited } from './policy/audited.decorator.js';
export type { RecordedChange, RecordedChanges } from './recorded-changes.js';
export type { AuditGap } from './recorder/audit-gap.js';
export { AuditPause } from './recorder/audit-pause.js';
export { AuditRecorder } from './recorder/audit-recorder.js';
export { AuditRetention, type PurgeRequest, type PurgeResult } from './retention/audit-retention.js';
export { type PurgeRecord, type SignedPurge, verifyPurge } from './retention/purge-record.js';
export {
  type AuditKeyRecord,
  AuditKeyRing,
  type AuditPublicKey,
  type AuditSignature,
  type SignatureVerdict,
} from './sealing/audit-key-ring.js';
export { AuditKeys, FixedAuditKeys } from './sealing/audit-keys.js';
export {
  AuditProofs,
  type ConsistencyProof,
  type InclusionProof,
  isConsistent,
  isIncluded,
} from './sealing/audit-proofs.js';
export { AuditSealer, type SealResult, type SealRound } from './sealing/audit-sealer.js';
export { AuditVerifier, type VerifyOptions } from './sealing/audit-verifier.js';
export { type Checkpoint, type SignedCheckpoint, verifyCheckpoint } from './sealing/checkpoint.js';
export type { StoredEntry } from './sealing/entry-text.js';
export { SealScheduler } from './sealing/seal-scheduler.js';
export { EmptyTenantRoster, TenantRoster } from './sealing/tenant-roster.js';
export {
  type TrailEvidence,
  type TrailFault,
  type TrailFaultKind,
  TrailProof,
  type TrailVerdict,
} from './sealing/trail-proof.js';
export type { SealedItem } from './sealing/trail-rows.js';
export {
  AuditTrail,
  type TrailEvent,
  type TrailPage,
  type TrailQuery,
  type VersionQuery,
} from './trail/audit-trail.js';
export type { EntityState, EntityVersion, StateDifference, VersionPage } from './trail/entity-version.js';
export { nest } from './trail/recorded-value.js';
export type { RevertResult } from './trail/revert.js';
export { AuditReconciler, type ReconcileQuery, type UnrecordedChange } from './witness/audit-reconciler.js';
export { dropWitnessSql, witnessSql } from './witness/witness-sql.js';
