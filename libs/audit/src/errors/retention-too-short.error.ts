import { AuditError } from './audit.error.js';

/** A purge was asked for entries that are too young: whoever may purge must not be able to hide what was done just now. */
export class RetentionTooShortError extends AuditError {
  readonly code = 'retention_too_short';

  constructor(
    readonly before: Date,
    readonly minRetentionDays: number,
  ) {
    super(
      `Entries of the last ${minRetentionDays} days cannot be purged. Choose an earlier time than ${before.toISOString()}.`,
    );
  }
}
