import { BulkRowError, type RowLocation } from './bulk-row.error.js';

/** A value of a row is missing, of the wrong type, or belongs to no property. Found before any SQL. */
export class InvalidRowError extends BulkRowError {
  readonly code = 'bulk_row_invalid';

  /** @param property path of the property, such as `price.amount` */
  constructor(
    row: RowLocation,
    readonly property: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(row, `${property} ${problem}.`, options);
  }
}
