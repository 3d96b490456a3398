import { hash } from 'node:crypto';
import type { AuditKeyRing, AuditSignature, SignatureVerdict } from '../sealing/audit-key-ring.js';

/** What one purge took away. */
export interface PurgeRecord {
  readonly id: string;
  readonly tenantId: string;
  /** RFC 3339. */
  readonly purgedAt: string;
  /** Entries from before this time were taken, but for those on hold. RFC 3339. */
  readonly before: string;
  /** Positions, as `[first, last]`, in order. */
  readonly ranges: readonly (readonly [number, number])[];
  readonly reason: string;
}

/** A purge record that the audit key of its time vouches for. */
export type SignedPurge = PurgeRecord & AuditSignature;

function textOf({ id, tenantId, purgedAt, before, ranges, reason }: PurgeRecord): string {
  return `rowhouse audit purge 1\n${JSON.stringify([id, tenantId, purgedAt, before, ranges, reason])}\n`;
}

/** Signs with the present key of the ring. */
export function signPurge(record: PurgeRecord, ring: AuditKeyRing): SignedPurge {
  return { ...record, ...ring.sign(textOf(record)) };
}

/** `valid`, or why the record does not count: its text was changed, or its key is unknown or revoked. Synchronous. */
export function verifyPurge(record: SignedPurge, ring: AuditKeyRing): SignatureVerdict {
  return ring.verify(textOf(record), record);
}

/** What the trail's own entry about the purge says of the record, so that neither stands alone. */
export function purgeDigest(record: PurgeRecord): string {
  return hash('sha256', textOf(record), 'base64url');
}

/** How many positions the ranges hold. */
export function countOf(ranges: PurgeRecord['ranges']): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

/** @param positions in order */
export function toRanges(positions: Iterable<number>): [number, number][] {
  const ranges: [number, number][] = [];
  for (const position of positions) {
    const last = ranges.at(-1);
    if (last && last[1] === position - 1) last[1] = position;
    else ranges.push([position, position]);
  }
  return ranges;
}
