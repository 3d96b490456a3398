import { channel } from 'node:diagnostics_channel';

/**
 * Changes that were committed and have no entry. There are none by default; see `AuditModuleOptions.onFailure`.
 * Published on the diagnostics channel `rowhouse:audit:gap`, once each is committed; a count of these is a metric.
 */
export interface AuditGap {
  readonly tenantId: string;
  /** When it happened, clock of the process. */
  readonly at: Date;
  /** How many rows changed, by concrete class. */
  readonly changes: Readonly<Record<string, number>>;
  /** Why no entry could be written. */
  readonly error: unknown;
}

const gaps = channel('rowhouse:audit:gap');

/** Raises the alarm. */
export function publishGap(gap: AuditGap): void {
  if (gaps.hasSubscribers) gaps.publish(gap);
}
