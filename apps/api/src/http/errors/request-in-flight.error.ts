import { HttpError } from './http.error.js';

/** A request with the same idempotency key is running. What it will answer is not known yet. */
export class RequestInFlightError extends HttpError {
  readonly code = 'request_in_flight';
  readonly retryAfterSeconds = 1;

  constructor() {
    super('A request with this Idempotency-Key is still running. Repeat yours in a moment to get its answer.');
  }
}
