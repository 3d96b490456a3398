import { PersistenceError } from './persistence.error.js';

/**
 * A statement would change rows whose changes belong on record, and would leave none: a native write, the query builder,
 * Kysely or raw SQL. Thrown before it is sent.
 */
export class UnannouncedWriteError extends PersistenceError {
  readonly code = 'unannounced_write';

  constructor(readonly table: string) {
    super(
      `Changes to "${table}" are on record, and this statement would leave none. Load the entities and flush, or use ` +
        'bulkInsert, bulkUpsert, bulkUpdate or bulkDelete of #libs/persistence, which announce every row.',
    );
  }
}
