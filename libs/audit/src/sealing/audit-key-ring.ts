import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';
import { UnknownAuditKeyError } from '../errors/unknown-audit-key.error.js';

/** One key of the set, as it is kept. Without `privateKey` and `stampSecret` it only verifies. */
export interface AuditKeyRecord {
  /** Made of the public key, so that two keys cannot have one id. */
  readonly id: string;
  /** DER (SPKI), base64url. */
  readonly publicKey: string;
  /** DER (PKCS 8), base64url. Taken away when the key is retired. */
  readonly privateKey?: string;
  /** Made along with the key; the stamps of entries that are not sealed yet are checked with it. */
  readonly stampSecret?: string;
  readonly createdAt: string;
  /** Since when it signs no more. What it signed stays valid. */
  readonly retiredAt?: string;
  /** Since when nothing that it signed counts. */
  readonly revokedAt?: string;
}

/** A public key, for whoever verifies elsewhere. */
export type AuditPublicKey = Omit<AuditKeyRecord, 'privateKey' | 'stampSecret'>;

/** What a signature is worth. */
export type SignatureVerdict = 'valid' | 'invalid' | 'revoked' | 'unknown_key';

/** A signature, and whose it is. */
export interface AuditSignature {
  readonly keyId: string;
  /** Ed25519, base64url. */
  readonly signature: string;
}

/** A stamp is cut to 144 bits: nobody forges one, and a million entries cost 24 MB. */
const STAMP_LENGTH = 24;

function newRecord(now: Date): AuditKeyRecord {
  const pair = generateKeyPairSync('ed25519');
  const publicKey = pair.publicKey.export({ type: 'spki', format: 'der' });
  return {
    id: createHash('sha256').update(publicKey).digest('hex').slice(0, 16),
    publicKey: publicKey.toString('base64url'),
    privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64url'),
    // Two keys of 64 characters: each fills one block of SHA-256.
    stampSecret: randomBytes(96).toString('base64url'),
    createdAt: now.toISOString(),
  };
}

/**
 * The keys behind checkpoints (Ed25519) and stamps: one signs, the others verify what they signed. Immutable; `rotate` and
 * `revoke` give another ring.
 */
export class AuditKeyRing {
  readonly #public = new Map<string, KeyObject>();
  #private: KeyObject | undefined;

  constructor(
    /** Oldest first; the last one signs. */
    readonly records: readonly AuditKeyRecord[],
  ) {}

  static create(now = new Date()): AuditKeyRing {
    return new AuditKeyRing([newRecord(now)]);
  }

  /** @throws {SyntaxError} when the text is none that `toText` made */
  static parse(text: string): AuditKeyRing {
    const { keys } = JSON.parse(text) as { keys?: AuditKeyRecord[] };
    if (!Array.isArray(keys) || keys.length === 0) throw new SyntaxError('There is no list "keys" in it.');
    return new AuditKeyRing(keys);
  }

  toText(): string {
    return `${JSON.stringify({ keys: this.records }, null, 2)}\n`;
  }

  /** The id of the key that signs. */
  get activeId(): string {
    return this.#active.id;
  }

  /** Whether a key is of this set, revoked ones included. */
  has(id: string): boolean {
    return this.records.some((record) => record.id === id);
  }

  /** A new key signs; the present one is retired, and what it signed stays valid. */
  rotate(now = new Date()): AuditKeyRing {
    const retired = this.records.map(({ privateKey: _, ...record }) => ({
      ...record,
      retiredAt: record.retiredAt ?? now.toISOString(),
    }));
    return new AuditKeyRing([...retired, newRecord(now)]);
  }

  /**
   * Nothing that the key signed counts any more. When it is the one that signs, a new one takes its place.
   * @throws {UnknownAuditKeyError}
   */
  revoke(id: string, now = new Date()): AuditKeyRing {
    if (!this.has(id)) throw new UnknownAuditKeyError(id);
    const ring = id === this.activeId ? this.rotate(now) : this;
    return new AuditKeyRing(
      ring.records.map((record) => (record.id === id ? { ...record, revokedAt: now.toISOString() } : record)),
    );
  }

  /** Public keys, for an export or an offline verifier. */
  publicKeys(): AuditPublicKey[] {
    return this.records.map(({ privateKey: _, stampSecret: __, ...record }) => record);
  }

  sign(text: string): AuditSignature {
    const { id, privateKey } = this.#active;
    if (!privateKey) throw new UnknownAuditKeyError(id);
    this.#private ??= createPrivateKey({ key: Buffer.from(privateKey, 'base64url'), format: 'der', type: 'pkcs8' });
    return { keyId: id, signature: sign(null, Buffer.from(text), this.#private).toString('base64url') };
  }

  verify(text: string, { keyId, signature }: AuditSignature): SignatureVerdict {
    const record = this.records.find(({ id }) => id === keyId);
    if (!record) return 'unknown_key';
    if (!verify(null, Buffer.from(text), this.#publicKeyOf(record), Buffer.from(signature, 'base64url'))) {
      return 'invalid';
    }
    return record.revokedAt === undefined ? 'valid' : 'revoked';
  }

  /**
   * Proof that an entry was written by somebody who knows the secret: HMAC's two passes, with two keys of one block each,
   * as `createHmac` alone would take longer than everything else about an entry.
   */
  stamp(text: string): string {
    return stampWith(this.#active.stampSecret ?? '', text);
  }

  /** Whether a key that is not revoked has stamped the text. */
  hasStamped(text: string, stamp: string): boolean {
    return this.records.toReversed().some(({ stampSecret, revokedAt }) => {
      return stampSecret !== undefined && revokedAt === undefined && stampWith(stampSecret, text) === stamp;
    });
  }

  get #active(): AuditKeyRecord {
    return this.records.at(-1) as AuditKeyRecord;
  }

  #publicKeyOf({ id, publicKey }: AuditKeyRecord): KeyObject {
    const known = this.#public.get(id);
    if (known) return known;
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64url'), format: 'der', type: 'spki' });
    this.#public.set(id, key);
    return key;
  }
}

function stampWith(secret: string, text: string): string {
  const inner = hash('sha256', secret.slice(0, 64) + text, 'base64url');
  return hash('sha256', secret.slice(64) + inner, 'base64url').slice(0, STAMP_LENGTH);
}
