import { Injectable } from '@nestjs/common';
import { Strategy } from 'passport';
import { InvalidTokenError } from '../errors/invalid-token.error.js';
import { SessionStore } from '../sessions/session-store.js';
import type { CredentialRequest } from './passport-authenticator.js';

/** Only this header counts: tokens in URLs end up in logs and histories. */
function findBearerToken(request: CredentialRequest): string | undefined {
  const value = request.headers.authorization;
  return typeof value === 'string' ? /^Bearer ([\w.~+/-]+=*)$/i.exec(value)?.[1] : undefined;
}

/** Passport strategy for every route but the public ones: an access token, answered by a `Principal`. */
@Injectable()
export class BearerPassportStrategy extends Strategy {
  override readonly name = 'bearer';

  constructor(private readonly sessions: SessionStore) {
    super();
  }

  override authenticate(request: unknown): void {
    const token = findBearerToken(request as CredentialRequest);
    const principal = token ? this.sessions.getPrincipal(token) : Promise.reject(new InvalidTokenError());
    principal.then(
      (found) => this.success(found),
      (error: Error) => this.error(error),
    );
  }
}
