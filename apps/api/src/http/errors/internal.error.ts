import { HttpError } from './http.error.js';

/** Something that was not foreseen. The cause goes to the log, never to the client. */
export class InternalError extends HttpError {
  readonly code = 'internal';

  constructor(options?: ErrorOptions) {
    super(
      'Something went wrong on our side. Repeat the request later; name the requestId when you report it.',
      options,
    );
  }
}
