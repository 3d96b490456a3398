import { HttpError } from './http.error.js';

/** There is nothing here, for this tenant. The same words whether it never existed or belongs to somebody else. */
export class NotFoundError extends HttpError {
  readonly code = 'not_found';

  constructor() {
    super('There is nothing at this address.');
  }
}
