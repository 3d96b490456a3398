import type { SignedPurge } from '../retention/purge-record.js';
import type { AuditPublicKey } from '../sealing/audit-key-ring.js';
import type { SignedCheckpoint } from '../sealing/checkpoint.js';
import type { StoredEntry } from '../sealing/entry-text.js';

/** Grows when an older verifier could not read the lines any more. */
export const EXPORT_FORMAT = 1;

/** The place of an entry. */
interface Place {
  readonly position: number;
  readonly id: string;
  readonly leaf: string;
}

/**
 * A line of an export. The first is the `trail`, the last the `end`; places come in order, after everything else but
 * the records of purges that came while it was written: those stand in front of the places they are about.
 */
export type ExportLine =
  | {
      readonly kind: 'trail';
      readonly format: number;
      readonly tenantId: string;
      /** Whether nothing was left out. */
      readonly isWhole: boolean;
      readonly checkpoint: SignedCheckpoint;
      /** As the exporter knew them: who does not trust the export brings the keys along. */
      readonly keys: readonly AuditPublicKey[];
    }
  | { readonly kind: 'checkpoint'; readonly checkpoint: SignedCheckpoint }
  | { readonly kind: 'purge'; readonly purge: SignedPurge }
  /** `entry` is what was hashed; `readable` what its personal values were when it was exported. */
  | ({ readonly kind: 'entry'; readonly entry: StoredEntry; readonly readable?: object } & Place)
  | ({ readonly kind: 'purged' } & Place)
  | ({ readonly kind: 'omitted' } & Place)
  | { readonly kind: 'end'; readonly size: number };
