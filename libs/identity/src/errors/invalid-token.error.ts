import { IdentityError } from './identity.error.js';

/** A bearer or refresh token, or an API key, that is missing, forged, expired or revoked. */
export class InvalidTokenError extends IdentityError {
  readonly code = 'unauthenticated';

  constructor(options?: ErrorOptions) {
    super(
      'Sign in first: send a valid access token as "Authorization: Bearer <token>", or an API key as "X-Api-Key".',
      options,
    );
  }
}
