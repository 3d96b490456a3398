import { PersistenceError } from './persistence.error.js';

/** A database URL starts with a scheme no engine answers to. Thrown while configuration is read. */
export class UnknownEngineError extends PersistenceError {
  readonly code = 'unknown_engine';

  /** @param scheme what stands before the colon; the URL itself may hold a password and is not repeated */
  constructor(readonly scheme: string) {
    super(`No engine answers to "${scheme}:". Use sqlite:, mysql://, mariadb:// or postgresql://.`);
  }
}
