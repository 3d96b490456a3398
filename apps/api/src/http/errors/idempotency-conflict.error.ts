import { HttpError } from './http.error.js';

/** The idempotency key came before with another request. Running it would not be what the key promises. */
export class IdempotencyConflictError extends HttpError {
  readonly code = 'idempotency_conflict';

  constructor() {
    super('This Idempotency-Key was used for another request. Take a new key for each piece of work.');
  }
}
