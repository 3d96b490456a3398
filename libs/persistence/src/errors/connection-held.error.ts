import { PersistenceError } from './persistence.error.js';

/**
 * A call inside a transaction asked for a second connection where there is only one: it would have waited for the end of
 * the very transaction it runs in, for ever. Thrown before any SQL.
 */
export class ConnectionHeldError extends PersistenceError {
  readonly code = 'connection_held';

  /** @param what the call that needs a connection of its own */
  constructor(readonly what: string) {
    super(
      `${what} would wait for ever: the transaction it runs in holds the only connection of this database. ` +
        'Use the EntityManager that the transaction gives, or do this after it.',
    );
  }
}
