import { BulkRowError, type RowLocation } from './bulk-row.error.js';

/** What the database would not accept; `value` means too long, out of range, or not of the column's type. */
export type RowConstraint = 'unique' | 'foreign_key' | 'not_null' | 'check' | 'value';

const PROBLEMS: Readonly<Record<RowConstraint, string>> = {
  unique: 'another row already has one of its unique values',
  foreign_key: 'it refers to a row that does not exist, or something refers to it',
  not_null: 'a value is missing that the table requires',
  check: 'the table does not allow this combination of values',
  value: 'a value does not fit its column',
};

/** The database refused a row. `cause` is the driver's error: for logs, since it may quote values. */
export class RowConstraintError extends BulkRowError {
  readonly code = 'bulk_row_refused';

  constructor(
    row: RowLocation,
    readonly constraint: RowConstraint,
    options?: ErrorOptions,
  ) {
    super(row, `${PROBLEMS[constraint]}.`, options);
  }
}
