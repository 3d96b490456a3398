import { BulkRowError, type RowLocation } from './bulk-row.error.js';

/** A row names another tenant than the context does, as its own or through a relation. Found before any SQL. */
export class RowTenantMismatchError extends BulkRowError {
  readonly code = 'bulk_row_tenant_mismatch';

  constructor(
    row: RowLocation,
    readonly property: string,
  ) {
    super(row, `${property} names another tenant. Leave the tenant out: it comes from the context.`);
  }
}
