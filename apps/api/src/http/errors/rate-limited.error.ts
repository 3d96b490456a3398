import { HttpError } from './http.error.js';

/** More requests than one tenant, actor or address may send in a minute. */
export class RateLimitedError extends HttpError {
  readonly code = 'rate_limited';

  constructor(
    readonly limit: string,
    readonly retryAfterSeconds: number,
  ) {
    super(`Too many requests of this ${limit}. Go on in ${retryAfterSeconds} s.`);
  }
}
