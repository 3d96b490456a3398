import { Injectable } from '@nestjs/common';
import passport, { type Strategy } from 'passport';
import type { ApiKeyPrincipal } from '../api-keys/api-key-principal.js';
import type { User } from '../entities/user.entity.js';
import { AmbiguousCredentialsError } from '../errors/ambiguous-credentials.error.js';
import { InvalidCredentialsError } from '../errors/invalid-credentials.error.js';
import type { Principal } from '../sessions/principal.js';
import { ApiKeyPassportStrategy } from './api-key.passport-strategy.js';
import { BearerPassportStrategy } from './bearer.passport-strategy.js';
import { LocalPassportStrategy } from './local.passport-strategy.js';

/** Whoever a request can speak for. */
export type Caller = Principal | ApiKeyPrincipal;

/** What a strategy reads of a request. Express' and Fastify's requests both fit. */
export interface CredentialRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body?: unknown;
}

/**
 * Runs passport strategies as promises. The strategies are those of this injector, never passport's process-wide
 * registry: two applications in one process (tests, a worker beside the API) must not answer for each other.
 */
@Injectable()
export class PassportAuthenticator {
  constructor(
    private readonly apiKey: ApiKeyPassportStrategy,
    private readonly bearer: BearerPassportStrategy,
    private readonly local: LocalPassportStrategy,
  ) {}

  /**
   * Whom a request speaks for: a person by a bearer token, or a machine by an API key.
   * @throws {InvalidTokenError}
   * @throws {AmbiguousCredentialsError} when it carries both
   */
  async authenticate(request: CredentialRequest): Promise<Caller> {
    if (request.headers['x-api-key'] === undefined) return this.#run<Principal>(this.bearer, request);
    if (request.headers.authorization !== undefined) throw new AmbiguousCredentialsError();
    return this.#run<ApiKeyPrincipal>(this.apiKey, request);
  }

  /** @throws {InvalidCredentialsError} */
  authenticateLocal(request: CredentialRequest): Promise<User> {
    return this.#run<User>(this.local, request);
  }

  #run<T>(strategy: Strategy, request: CredentialRequest): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (error: Error | null, identity?: T | false) =>
        error || !identity ? reject(error ?? new InvalidCredentialsError()) : resolve(identity);
      // Passport hangs `success` and `error` of the current request onto a strategy that is passed as an object. Each
      // request gets one of its own: on a shared one, two parallel requests answer for each other.
      const ownStrategy: Strategy = Object.create(strategy);
      passport.authenticate(ownStrategy, { session: false }, settle)(request, {}, reject);
    });
  }
}
