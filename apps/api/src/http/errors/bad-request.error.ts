import { HttpError } from './http.error.js';

/** What came is not a request HTTP understands: a broken URL, a wrong length, an aborted body. */
export class BadRequestError extends HttpError {
  readonly code = 'bad_request';

  constructor(options?: ErrorOptions) {
    super('The request is not well-formed HTTP.', options);
  }
}
