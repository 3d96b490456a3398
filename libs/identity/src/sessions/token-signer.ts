import { createHmac, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { createSigner, createVerifier } from 'fast-jwt';
import { InvalidTokenError } from '../errors/invalid-token.error.js';
import { IDENTITY_MODULE_OPTIONS, type IdentityModuleOptions } from '../identity.options.js';
import type { AccessTokenClaims } from './access-token.js';

/** A refresh token, taken apart. */
export interface RefreshTokenParts {
  readonly sessionId: string;
  readonly generation: number;
}

/**
 * Signs and verifies tokens. Access tokens are JWTs (HS256). A refresh token is the session's id and generation with a
 * MAC over both: nothing of it is stored, and a retried refresh gives the same successor.
 */
@Injectable()
export class TokenSigner {
  readonly accessTokenTtlSeconds: number;
  readonly #sign: (claims: AccessTokenClaims) => string;
  readonly #verify: (token: string) => unknown;
  readonly #refreshKey: Buffer;

  constructor(@Inject(IDENTITY_MODULE_OPTIONS) options: IdentityModuleOptions) {
    this.accessTokenTtlSeconds = options.accessTokenTtlSeconds ?? 900;
    // One secret, two keys: a MAC made for one kind of token never verifies as the other.
    const accessKey = createHmac('sha256', options.secret).update('rowhouse access token').digest();
    this.#refreshKey = createHmac('sha256', options.secret).update('rowhouse refresh token').digest();
    const common = { key: accessKey, iss: 'rowhouse' };
    this.#sign = createSigner({ ...common, algorithm: 'HS256', expiresIn: this.accessTokenTtlSeconds * 1000 });
    this.#verify = createVerifier({
      key: accessKey,
      algorithms: ['HS256'],
      allowedIss: 'rowhouse',
      requiredClaims: ['sub', 'sid', 'exp'],
    });
  }

  signAccessToken(claims: AccessTokenClaims): string {
    return this.#sign(claims);
  }

  /** @throws {InvalidTokenError} forged, expired, or not one of ours */
  verifyAccessToken(token: string): AccessTokenClaims {
    try {
      return this.#verify(token) as AccessTokenClaims;
    } catch (cause) {
      throw new InvalidTokenError({ cause });
    }
  }

  signRefreshToken({ sessionId, generation }: RefreshTokenParts): string {
    return `${sessionId}.${generation}.${this.#mac(sessionId, generation)}`;
  }

  /** @throws {InvalidTokenError} */
  verifyRefreshToken(token: string): RefreshTokenParts {
    const [sessionId = '', number = '', mac = ''] = token.split('.');
    const generation = Number(number);
    const expected = Buffer.from(this.#mac(sessionId, generation));
    const actual = Buffer.from(mac);
    if (actual.length !== expected.length || !timingSafeEqual(actual, expected)) throw new InvalidTokenError();
    return { sessionId, generation };
  }

  #mac(sessionId: string, generation: number): string {
    return createHmac('sha256', this.#refreshKey).update(`${sessionId}.${generation}`).digest('base64url');
  }
}
