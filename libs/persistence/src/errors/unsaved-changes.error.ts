import { PersistenceError } from './persistence.error.js';

/**
 * A transaction was to begin while the unit of work around it holds changes that were not flushed. They would be no part of
 * it, and could overwrite what it writes.
 */
export class UnsavedChangesError extends PersistenceError {
  readonly code = 'unsaved_changes';

  /** @param entity class of the first entity that has changed */
  constructor(readonly entity: string) {
    super(
      `There are unsaved changes, of ${entity} among others. Flush them first, or make them inside the transaction.`,
    );
  }
}
