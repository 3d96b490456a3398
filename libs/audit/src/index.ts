export { AuditModule } from './audit.module.js';
export { AUDIT_MODULE_OPTIONS, type AuditModuleOptions } from './audit.options.js';
export { AuditEntry } from './entities/audit-entry.entity.js';
export { AuditError } from './errors/audit.error.js';
export { AuditEntryNotFoundError } from './errors/audit-entry-not-found.error.js';
export { AuditTrailReadonlyError } from './errors/audit-trail-readonly.error.js';
export { InvalidCursorError } from './errors/invalid-cursor.error.js';
export { type RevertConflict, RevertConflictError } from './errors/revert-conflict.error.js';
export { UnknownAuditedPropertyError } from './errors/unknown-audited-property.error.js';
export { VersionNotFoundError } from './errors/version-not-found.error.js';
export { Audited, type AuditedOptions, audited, NotAudited } from './policy/audited.decorator.js';
export type { RecordedChange, RecordedChanges } from './recorded-changes.js';
export { AuditRecorder } from './recorder/audit-recorder.js';
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
