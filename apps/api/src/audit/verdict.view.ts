import type { TrailVerdict } from '#libs/audit';

/** What a verification has found, as the API shows it. */
export function toVerdictView({ ok, entries, head, checkpoint, purged, fault }: TrailVerdict) {
  return { ok, entries, head, purged, checkpoint: checkpoint ?? null, ...(fault && { fault }) };
}
