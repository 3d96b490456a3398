import { HttpError } from './http.error.js';

/** The change would break a rule about what may exist together, such as a sku that is in use. */
export class ConflictError extends HttpError {
  readonly code = 'conflict';

  constructor(detail: string, options?: ErrorOptions) {
    super(detail, options);
  }
}
