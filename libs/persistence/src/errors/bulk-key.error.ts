import { PersistenceError } from './persistence.error.js';

/** The properties that shall tell rows apart are not unique, so that "the" existing row does not exist. Thrown before any SQL. */
export class BulkKeyError extends PersistenceError {
  readonly code = 'bulk_key_not_unique';

  constructor(
    readonly entity: string,
    readonly by: readonly string[],
  ) {
    super(
      `${entity} has no unique constraint on (${by.join(', ')}). Name the primary key or a unique constraint in "by".`,
    );
  }
}
