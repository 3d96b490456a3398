/** A line that was not imported, and why. */
export interface RejectedLine {
  /** Counted from 1, empty lines included. */
  readonly line: number;
  /** Stable, for programs. */
  readonly code: 'malformed_json' | 'invalid_input' | 'line_too_long' | 'type_conflict';
  readonly detail: string;
}

/** How many rejected lines a report lists. The rest is counted: an endless list of errors must not eat the memory. */
export const MAX_LISTED_REJECTIONS = 1_000;

/** What an import did. */
export class ImportReport {
  /** Products that are new. */
  inserted = 0;
  /** Products that were there and are different now. */
  updated = 0;
  /** Products that were there and are as the line says. */
  unchanged = 0;
  /** All rejected lines, also those beyond the list. */
  rejectedCount = 0;
  /** The first thousand rejected lines, in order. */
  readonly rejected: RejectedLine[] = [];

  reject(rejection: RejectedLine): void {
    this.rejectedCount++;
    if (this.rejected.length < MAX_LISTED_REJECTIONS) this.rejected.push(rejection);
  }
}
