import { IdentityError } from './identity.error.js';

/** Too many failed log-ins from one address or for one account. */
export class TooManyAttemptsError extends IdentityError {
  readonly code = 'rate_limited';

  constructor(readonly retryAfterSeconds: number) {
    super(`Too many failed attempts. Try again in ${retryAfterSeconds} s.`);
  }
}
