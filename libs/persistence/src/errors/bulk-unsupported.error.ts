import { PersistenceError } from './persistence.error.js';

/** A bulk write cannot express what the entity maps or what was asked of it. Thrown before any SQL. */
export class BulkUnsupportedError extends PersistenceError {
  readonly code = 'bulk_unsupported';

  /**
   * @param entity  class name
   * @param because what is in the way, as half a sentence
   * @param remedy  what to do instead
   */
  constructor(
    readonly entity: string,
    because: string,
    remedy: string,
  ) {
    super(`${entity} cannot be written in bulk: ${because}. ${remedy}`);
  }
}
