import { BulkRowError, type RowLocation } from './bulk-row.error.js';

/** A row carries a version, and the row that exists has another: somebody has changed it since it was read. */
export class RowVersionError extends BulkRowError {
  readonly code = 'bulk_row_version_conflict';

  constructor(
    row: RowLocation,
    readonly expected: unknown,
    readonly actual: unknown,
  ) {
    super(row, `version ${expected} was expected and ${actual} was found. Read it again, or leave the version out.`);
  }
}
