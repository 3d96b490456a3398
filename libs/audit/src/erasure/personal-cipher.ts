import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
  randomBytes,
  randomFillSync,
} from 'node:crypto';

/** A key under which what is personal about somebody is kept. */
export interface PersonalKey {
  readonly id: string;
  /** 256 bits. Prepared once: given as bytes, each envelope would pay four times as much for it. */
  readonly secret: KeyObject;
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const ENVELOPE = /^p1\.([0-9a-f-]{36})\.([\w-]+)$/;

/** Random bytes for many nonces at once: drawn for each, they take as long as the cipher. None is given out twice. */
const nonces = Buffer.alloc(256 * NONCE_BYTES);
let used = nonces.length;

function drawNonce(): Buffer {
  if (used === nonces.length) {
    randomFillSync(nonces);
    used = 0;
  }
  used += NONCE_BYTES;
  return nonces.subarray(used - NONCE_BYTES, used);
}

export function newSecret(): KeyObject {
  return createSecretKey(randomBytes(32));
}

/** A secret as it lies in its table. */
export function secretToText(secret: KeyObject): string {
  return secret.export().toString('base64url');
}

export function secretFromText(text: string): KeyObject {
  return createSecretKey(text, 'base64url');
}

/** `p1.<key id>.<nonce, text and tag>`: what the trail holds in the place of a personal text. */
export function encipher(text: string, { id, secret }: PersonalKey): string {
  const nonce = drawNonce();
  const cipher = createCipheriv(CIPHER, secret, nonce);
  // An envelope is readable under the key that it names, and under no other.
  cipher.setAAD(Buffer.from(id));
  const body = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `p1.${id}.${body.toString('base64url')}`;
}

/** The id of the key that an envelope asks for; `undefined` for what is none. */
export function keyIdOf(envelope: unknown): string | undefined {
  return typeof envelope === 'string' ? ENVELOPE.exec(envelope)?.[1] : undefined;
}

/** @returns `undefined` when the envelope was not made with this key */
export function decipher(envelope: string, { id, secret }: PersonalKey): string | undefined {
  const [, keyId, body = ''] = ENVELOPE.exec(envelope) ?? [];
  if (keyId !== id) return undefined;
  const bytes = Buffer.from(body, 'base64url');
  const end = bytes.length - TAG_BYTES;
  try {
    const cipher = createDecipheriv(CIPHER, secret, bytes.subarray(0, NONCE_BYTES));
    cipher.setAAD(Buffer.from(id));
    cipher.setAuthTag(bytes.subarray(end));
    return Buffer.concat([cipher.update(bytes.subarray(NONCE_BYTES, end)), cipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}
