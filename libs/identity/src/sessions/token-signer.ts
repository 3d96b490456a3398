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

/** Verified tokens kept at most; each is some 500 bytes. */
const MOST_VERIFIED = 20_000;

interface VerifiedClaims extends AccessTokenClaims {
  /** Seconds since 1970. */
  readonly exp: number;
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
  readonly #verified = new Map<string, VerifiedClaims>();

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

  /**
   * A token that was verified before is only asked whether it has expired: its signature does not change, and takes a
   * fifth of an authenticated read to compute. Whether its session still stands is for the caller to ask, every time.
   *
   * @throws {InvalidTokenError} forged, expired, or not one of ours
   */
  verifyAccessToken(token: string): AccessTokenClaims {
    const known = this.#verified.get(token);
    if (known && known.exp * 1000 > Date.now()) return known;
    try {
      const claims = Object.freeze(this.#verify(token) as VerifiedClaims);
      this.#keep(token, claims);
      return claims;
    } catch (cause) {
      this.#verified.delete(token);
      throw new InvalidTokenError({ cause });
    }
  }

  /** The oldest goes first: a Map keeps insertion order, and tokens expire in about the order they were first seen. */
  #keep(token: string, claims: VerifiedClaims): void {
    const [oldest] = this.#verified.keys();
    if (this.#verified.size >= MOST_VERIFIED && oldest !== undefined) this.#verified.delete(oldest);
    this.#verified.set(token, claims);
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
