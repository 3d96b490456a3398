import { HttpError } from './http.error.js';

/** The body is larger than the route takes. */
export class PayloadTooLargeError extends HttpError {
  readonly code = 'payload_too_large';

  constructor(options?: ErrorOptions) {
    super('The body is too large. Send less at a time; for many products use POST /v1/products/import.', options);
  }
}
