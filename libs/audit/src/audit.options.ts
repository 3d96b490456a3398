import type { AuditGap } from './recorder/audit-gap.js';
import type { AuditKeys } from './sealing/audit-keys.js';

/** Injection token of the module's options. */
export const AUDIT_MODULE_OPTIONS = 'AUDIT_MODULE_OPTIONS';

/** How changes are recorded. */
export interface AuditRecorderOptions {
  /**
   * What becomes of a change whose entry cannot be written. `refuse`: it rolls back. `log`: it stays, the gap is announced
   * (`onGap`, and the diagnostics channel `rowhouse:audit:gap`), and an entry `audit_gap` stands for what is missing: in
   * the same transaction, or with the tenant's next one. For those to whom an outage is worse than a hole in the trail;
   * whoever can fill the disk, or drop the table, then works unseen. Costs a savepoint a transaction. Default `refuse`.
   */
  readonly onFailure?: 'refuse' | 'log';
  /**
   * Batches of bulk writes up to this many rows have an entry for each row, with old and new values. A larger one has one
   * for each class and kind of change (`bulk_create`, `bulk_update`, `bulk_delete`), with the keys of the rows and what was
   * asked for; old values are lost, and versions of such rows say so. Default: no limit.
   */
  readonly maxRowEntries?: number;
  /** Told of every gap once it is committed, to raise an alarm. What it throws goes where errors after a commit go. */
  readonly onGap?: (gap: AuditGap) => void;
}

/** How `AuditModule` is configured. */
export interface AuditModuleOptions extends AuditRecorderOptions {
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
