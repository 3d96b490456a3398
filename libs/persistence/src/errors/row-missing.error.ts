import { BulkRowError, type RowLocation } from './bulk-row.error.js';

/** `bulkUpdate` was given a row whose key no existing row has. */
export class RowMissingError extends BulkRowError {
  readonly code = 'bulk_row_missing';

  constructor(row: RowLocation) {
    super(row, 'no row has this key. Use bulkUpsert to create it.');
  }
}
