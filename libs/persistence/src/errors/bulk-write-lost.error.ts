import { PersistenceError } from './persistence.error.js';

/**
 * A statement reached fewer rows than it named, though these exist and are locked: something between this code and the
 * table hides them, such as a row-level security policy or a trigger. The batch is rolled back.
 */
export class BulkWriteLostError extends PersistenceError {
  readonly code = 'bulk_write_lost';

  constructor(
    readonly table: string,
    readonly expected: number,
    readonly affected: number,
  ) {
    super(
      `${expected} rows were written to ${table} but ${affected} arrived. Look for a policy or a trigger on the table.`,
    );
  }
}
