import type { AuditKeys } from './sealing/audit-keys.js';

/** Injection token of the module's options. */
export const AUDIT_MODULE_OPTIONS = 'AUDIT_MODULE_OPTIONS';

/** How `AuditModule` is configured. */
export interface AuditModuleOptions {
  /** Entries on a page at most, whatever a caller asks for. Default 100. */
  maxPageSize?: number;
  /** Keys that stamp entries and sign checkpoints. Without them nothing is sealed. */
  keys?: AuditKeys;
  /** How much time one kept checkpoint stands for, in milliseconds. Default an hour. */
  sealingPeriodMs?: number;
  /** How often all tenants are looked through for what was left unsealed, in milliseconds. Default five minutes. */
  sweepMs?: number;
  /** Told when a tenant's trail cannot be sealed, or holds entries that the application did not write. */
  onSealingError?: (error: unknown) => void;
  /** Entries younger than this many days cannot be purged, whoever asks. Default 90. */
  minRetentionDays?: number;
}
