/** Codes of the failures that only an HTTP edge has; each stands in the problem. */
export type HttpErrorCode =
  | 'bad_request'
  | 'conflict'
  | 'idempotency_conflict'
  | 'internal'
  | 'invalid_input'
  | 'malformed_json'
  | 'not_found'
  | 'payload_too_large'
  | 'rate_limited'
  | 'reason_required'
  | 'request_in_flight'
  | 'search_too_wide'
  | 'unsupported_media_type'
  | 'version_conflict';

/** Base of the errors that only an HTTP edge has. */
export abstract class HttpError extends Error {
  abstract readonly code: HttpErrorCode;
  override readonly name = this.constructor.name;
}
