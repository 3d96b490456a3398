import type { AuditKeyRing, AuditSignature, SignatureVerdict } from './audit-key-ring.js';

/** How long a tenant's sealed trail was at a time, and the hash of all of it. */
export interface Checkpoint {
  readonly tenantId: string;
  /** Entries sealed so far; the position of the last one. */
  readonly size: number;
  /** Root of the Merkle tree over their leaves, base64url. */
  readonly root: string;
  /** Leaf of the last one; empty for none. */
  readonly last: string;
  /** RFC 3339. Never before that of the checkpoint before it. */
  readonly sealedAt: string;
  /** Whether entries from before sealing began are still being taken in. */
  readonly opening: boolean;
}

/** A checkpoint that the audit key of its time vouches for. Whoever keeps one notices when the trail is rolled back behind it. */
export type SignedCheckpoint = Checkpoint & AuditSignature;

/** The text that is signed: a line for each fact, and what it is first, so that it cannot pass for something else. */
function textOf({ tenantId, size, root, last, sealedAt, opening }: Checkpoint): string {
  return `rowhouse audit checkpoint 1\n${tenantId}\n${size}\n${root}\n${last}\n${sealedAt}\n${opening}\n`;
}

/** Signs with the present key of the ring. */
export function signCheckpoint(checkpoint: Checkpoint, ring: AuditKeyRing): SignedCheckpoint {
  return { ...checkpoint, ...ring.sign(textOf(checkpoint)) };
}

/** `valid`, or why the checkpoint does not count: its text was changed, or its key is unknown or revoked. Synchronous. */
export function verifyCheckpoint(checkpoint: SignedCheckpoint, ring: AuditKeyRing): SignatureVerdict {
  return ring.verify(textOf(checkpoint), checkpoint);
}
