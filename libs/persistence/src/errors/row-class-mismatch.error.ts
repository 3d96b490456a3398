import { BulkRowError, type RowLocation } from './bulk-row.error.js';

/** The row that exists under a key is of another class of the hierarchy; a row cannot change its class. */
export class RowClassMismatchError extends BulkRowError {
  readonly code = 'bulk_row_class_mismatch';

  /** @param actual class name of the row that exists */
  constructor(
    row: RowLocation,
    readonly actual: string,
  ) {
    super(row, `a ${actual} has this key, and a row cannot change its class.`);
  }
}
