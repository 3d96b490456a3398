import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { parse, stringify } from 'uuid';
import { newId } from '#libs/persistence';

const ID_BYTES = 16;
const SECRET_BYTES = 32;

/** A token that is shown once. Whoever has it may use it; the database keeps its hash. */
export interface IssuedToken {
  /** Id of the row the token opens. */
  readonly id: string;
  readonly token: string;
  readonly hash: string;
}

/** A token as somebody sent it: the row it names, and the hash that row must have. */
export interface PresentedToken {
  readonly id: string;
  readonly hash: string;
}

/** A plain hash is enough for 256 random bits: there is no list of likely ones to try, as there is for passwords. */
function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

/** Makes a token. The prefix tells what it is for, to people and to scanners that look for leaked secrets. */
export function issueToken(prefix: string): IssuedToken {
  const id = newId();
  const bytes = Buffer.concat([parse(id), randomBytes(SECRET_BYTES)]);
  const token = `${prefix}_${bytes.toString('base64url')}`;
  return { id, token, hash: hashOf(token) };
}

/** What `token` names, or `undefined` when it has not the form of one. */
export function readToken(prefix: string, token: string): PresentedToken | undefined {
  if (!token.startsWith(`${prefix}_`)) return undefined;
  const bytes = Buffer.from(token.slice(prefix.length + 1), 'base64url');
  if (bytes.length !== ID_BYTES + SECRET_BYTES) return undefined;
  try {
    return { id: stringify(bytes.subarray(0, ID_BYTES)), hash: hashOf(token) };
  } catch {
    // Sixteen bytes that are no UUID.
    return undefined;
  }
}

/** Whether two hashes are the same, in a time that tells nothing of how much of them is. */
export function isSameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
