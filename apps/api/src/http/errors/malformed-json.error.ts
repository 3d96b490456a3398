import { HttpError } from './http.error.js';

/** The body says it is JSON and is not. */
export class MalformedJsonError extends HttpError {
  readonly code = 'malformed_json';

  constructor(options?: ErrorOptions) {
    super('The body is not valid JSON.', options);
  }
}
