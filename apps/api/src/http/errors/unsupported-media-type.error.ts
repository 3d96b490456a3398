import { HttpError } from './http.error.js';

/** The body is of a media type the route does not take. */
export class UnsupportedMediaTypeError extends HttpError {
  readonly code = 'unsupported_media_type';

  constructor(options?: ErrorOptions) {
    super(
      'This media type is not supported here. Send "Content-Type: application/json" unless the route says otherwise.',
      options,
    );
  }
}
