import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { InvalidTokenError } from '../errors/invalid-token.error.js';
import { TokenSigner } from './token-signer.js';

const claims = { sub: 'user', sid: 'session', tid: 'tenant' };
const secret = 'a secret of at least thirty-two characters';

describe('TokenSigner', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick'], now: new Date('2026-01-01T00:00:00Z') });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('refuses a token that has expired, also one that it verified before', () => {
    const signer = new TokenSigner({ secret, accessTokenTtlSeconds: 60 });
    const [used, unused] = [signer.signAccessToken(claims), signer.signAccessToken({ ...claims, sid: 'other' })];
    for (let time = 0; time < 2; time++) expect(signer.verifyAccessToken(used)).toMatchObject(claims);
    jest.setSystemTime(Date.now() + 59_000);
    expect(signer.verifyAccessToken(used)).toMatchObject(claims);
    jest.setSystemTime(Date.now() + 2_000);
    for (const token of [used, unused]) expect(() => signer.verifyAccessToken(token)).toThrow(InvalidTokenError);
  });

  it('knows a token only as a whole: what differs in one character was not verified', () => {
    const signer = new TokenSigner({ secret });
    const token = signer.signAccessToken(claims);
    signer.verifyAccessToken(token);
    const [header, payload = '', signature = ''] = token.split('.');
    const forged = Buffer.from(payload, 'base64url').toString().replace('"tenant"', '"victim"');
    for (const other of [
      `${header}.${Buffer.from(forged).toString('base64url')}.${signature}`,
      `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
      `${header}.${payload}.`,
    ]) {
      for (let time = 0; time < 2; time++) expect(() => signer.verifyAccessToken(other)).toThrow(InvalidTokenError);
    }
  });

  it('gives claims that nobody can change for the next', () => {
    const signer = new TokenSigner({ secret });
    const token = signer.signAccessToken(claims);
    expect(Object.isFrozen(signer.verifyAccessToken(token))).toBe(true);
    expect(signer.verifyAccessToken(token)).toBe(signer.verifyAccessToken(token));
  });
});
