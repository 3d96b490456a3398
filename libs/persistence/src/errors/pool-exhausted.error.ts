import { PersistenceError } from './persistence.error.js';

/**
 * Every connection of a pool was in use for as long as a caller may wait for one. Nothing was sent. Thrown by every
 * statement and every begin of a transaction, on every engine.
 */
export class PoolExhaustedError extends PersistenceError {
  readonly code = 'pool_exhausted';
  /** When to try again. */
  readonly retryAfterSeconds = 1;

  constructor(
    readonly max: number,
    readonly waitedMs: number,
  ) {
    super(
      `No connection was free within ${waitedMs} ms; the pool has ${max}. Find what holds them for so long (a transaction ` +
        'around slow work, or one that waits for a second connection), or give the pool more.',
    );
  }
}
