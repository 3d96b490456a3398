import { TenancyError } from '../../errors/tenancy.error.js';

/**
 * A flush was to change or delete a row, and the database found none: somebody deleted it meanwhile, or row-level security
 * hides it. The transaction is rolled back.
 */
export class RowNotWrittenError extends TenancyError {
  readonly code = 'row_not_written';

  constructor(readonly entity: string) {
    super(`A ${entity} that was to be changed or deleted is not there any more. Load it again.`);
  }
}
