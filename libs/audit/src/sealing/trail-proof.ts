import type { SignedPurge } from '../retention/purge-record.js';
import { verifyPurge } from '../retention/purge-record.js';
import type { AuditKeyRing, SignatureVerdict } from './audit-key-ring.js';
import { type SignedCheckpoint, verifyCheckpoint } from './checkpoint.js';
import { leafOf, storedEntryText } from './entry-text.js';
import { fromText, MerkleFrontier, toText } from './merkle-tree.js';
import type { SealedItem } from './trail-rows.js';

/** What is wrong with a trail. */
export type TrailFaultKind =
  /** No entry at this position, and no purge that accounts for it. */
  | 'missing'
  /** The entry at this position, or its seal, is another one than was sealed. */
  | 'changed'
  /** An entry of another tenant, at this position. */
  | 'foreign'
  /** An entry that the application did not write, or that was changed before it was sealed. It would come at this position. */
  | 'forged'
  /** The trail ends before this position, and its checkpoint says that it goes on. */
  | 'cut_off'
  /** The trail ends before this position, and a checkpoint from elsewhere says that it went on: an older copy. */
  | 'rolled_back'
  /** Everything fits together, and not with a checkpoint: all was made anew, somewhere from this position on. */
  | 'rewritten'
  /** A checkpoint or purge record has no signature that counts. */
  | 'unsigned';

/** The first thing that is wrong with a trail. */
export interface TrailFault {
  readonly kind: TrailFaultKind;
  readonly position: number;
  readonly entryId?: string;
  /** For people. */
  readonly detail: string;
}

/** What a verification has found. */
export interface TrailVerdict {
  readonly ok: boolean;
  /** Sealed entries that were verified, purged ones included. */
  readonly entries: number;
  /** Root of the tree over them, base64url. */
  readonly head: string;
  readonly checkpoint?: SignedCheckpoint;
  /** Purged entries among them: their hashes are there, and a signed record of the purge. */
  readonly purged: number;
  /** Entries that an export leaves out, with their hashes. Nothing is known of what they say. */
  readonly omitted: number;
  /** Absent when `ok`. */
  readonly fault?: TrailFault;
}

/** What a trail is verified against. */
export interface TrailEvidence {
  readonly tenantId: string;
  readonly ring: AuditKeyRing;
  /** The checkpoint of the end. */
  readonly checkpoint: SignedCheckpoint | undefined;
  /** Checkpoints of the trail itself. Those of revoked keys are passed over. */
  readonly checkpoints?: readonly SignedCheckpoint[];
  readonly purges?: readonly SignedPurge[];
  /** Purge records that have come since: asked for when an entry is gone that none of the others accounts for. */
  readonly latePurges?: () => Promise<readonly SignedPurge[]>;
  /** A checkpoint that was kept elsewhere: the only thing that tells an older copy of a database from the real one. */
  readonly against?: SignedCheckpoint;
  /** Whether entries may be left out, as in an export of a part. */
  readonly mayOmit?: boolean;
}

class Fault extends Error {
  constructor(readonly fault: TrailFault) {
    super(fault.detail);
  }
}

function fail(kind: TrailFaultKind, position: number, detail: string, entryId?: string): never {
  throw new Fault({ kind, position, ...(entryId && { entryId }), detail });
}

const SIGNATURES: Readonly<Record<Exclude<SignatureVerdict, 'valid'>, string>> = {
  invalid: 'its signature is wrong',
  revoked: 'its key was revoked',
  unknown_key: 'its key is unknown',
};

/** Walks through a trail once, in order, in constant memory, and stops at the first thing that is wrong. */
export class TrailProof {
  readonly #frontier = new MerkleFrontier();
  /** Roots to find, by size. */
  readonly #expected = new Map<number, { readonly root: string; readonly from: string }>();
  readonly #purged: [first: number, last: number][] = [];
  #last = '';
  #purgedCount = 0;
  #omitted = 0;

  constructor(private readonly evidence: TrailEvidence) {}

  /** @param pages of places, in order */
  async run(pages: AsyncIterable<readonly SealedItem[]>): Promise<TrailVerdict> {
    try {
      this.#readEvidence();
      for await (const page of pages) {
        for (const item of page) {
          if (!item.entry && !this.#isPurged()) this.#readPurges((await this.evidence.latePurges?.()) ?? []);
          this.#take(item);
        }
      }
      this.#end();
      return this.#verdict();
    } catch (error) {
      if (error instanceof Fault) return { ...this.#verdict(), ok: false, fault: error.fault };
      throw error;
    }
  }

  #verdict(): TrailVerdict {
    const { checkpoint } = this.evidence;
    return {
      ok: true,
      entries: this.#frontier.size,
      head: toText(this.#frontier.root()),
      ...(checkpoint && { checkpoint }),
      purged: this.#purgedCount,
      omitted: this.#omitted,
    };
  }

  #readEvidence(): void {
    const { checkpoint, checkpoints = [], purges = [], against, ring, tenantId } = this.evidence;
    const expect = (it: SignedCheckpoint, from: string) => this.#expected.set(it.size, { root: it.root, from });
    for (const kept of checkpoints) {
      const verdict = verifyCheckpoint(kept, ring);
      if (verdict === 'valid' && kept.tenantId === tenantId) expect(kept, 'a checkpoint of the trail');
      else if (verdict !== 'revoked') this.#refuse(kept, 'a checkpoint of the trail', verdict);
    }
    for (const [it, from] of [
      [checkpoint, "the trail's last checkpoint"],
      [against, 'the given checkpoint'],
    ] as const) {
      if (!it) continue;
      const verdict = verifyCheckpoint(it, ring);
      if (verdict !== 'valid' || it.tenantId !== tenantId) this.#refuse(it, from, verdict);
      const other = this.#expected.get(it.size);
      if (other && other.root !== it.root) fail('rewritten', it.size, `${from} and ${other.from} disagree`);
      expect(it, from);
    }
    this.#readPurges(purges);
  }

  #readPurges(purges: readonly SignedPurge[]): void {
    const { ring, tenantId } = this.evidence;
    for (const purge of purges) {
      const verdict = verifyPurge(purge, ring);
      const [first = [1]] = purge.ranges;
      if (verdict !== 'valid') fail('unsigned', first[0], `a purge record does not count: ${SIGNATURES[verdict]}`);
      if (purge.tenantId !== tenantId) fail('foreign', first[0], 'a purge record is of another tenant');
      for (const [from, to] of purge.ranges) this.#purged.push([from, to]);
    }
    this.#purged.sort((a, b) => a[0] - b[0]);
  }

  #refuse({ size, tenantId }: SignedCheckpoint, what: string, verdict: SignatureVerdict): never {
    if (verdict !== 'valid') fail('unsigned', size, `${what} does not count: ${SIGNATURES[verdict]}`);
    fail('foreign', size, `${what} is of another tenant, ${tenantId}`);
  }

  #take({ position, id, leaf, entry }: SealedItem): void {
    const place = this.#frontier.size + 1;
    if (position !== place) fail('missing', place, 'there is no seal at this position');
    const hash = fromText(leaf);
    if (!hash) fail('changed', place, 'its seal holds no hash', id);
    if (entry) this.#check(place, id, leaf, entry);
    else this.#account(place, id);
    this.#frontier.append(hash);
    this.#last = leaf;
    const expected = this.#expected.get(place);
    if (expected && expected.root !== toText(this.#frontier.root())) {
      fail('rewritten', this.#sizeBefore(place) + 1, `the trail up to ${place} is not the one of ${expected.from}`);
    }
  }

  #check(place: number, id: string, leaf: string, entry: NonNullable<SealedItem['entry']>): void {
    if (entry.tenantId !== this.evidence.tenantId) fail('foreign', place, 'the entry is of another tenant', id);
    if (leafOf(place, this.#last, storedEntryText(entry)) !== leaf) {
      fail('changed', place, 'the entry is not the one that was sealed here', id);
    }
  }

  #account(place: number, id: string): void {
    if (this.#isPurged()) this.#purgedCount++;
    else if (this.evidence.mayOmit) this.#omitted++;
    else fail('missing', place, 'the entry is gone, and no purge accounts for it', id);
  }

  /** Whether a purge accounts for the next place. */
  #isPurged(): boolean {
    const place = this.#frontier.size + 1;
    while (this.#purged[0] && this.#purged[0][1] < place) this.#purged.shift();
    const [range] = this.#purged;
    return range !== undefined && range[0] <= place;
  }

  #end(): void {
    const { checkpoint, against } = this.evidence;
    const { size } = this.#frontier;
    if (checkpoint && size < checkpoint.size) {
      fail('cut_off', size + 1, `the trail ends here, and its checkpoint counts ${checkpoint.size} entries`);
    }
    if (checkpoint && size > checkpoint.size) {
      fail('unsigned', checkpoint.size + 1, 'from here on no checkpoint covers the seals');
    }
    if (!checkpoint && size > 0) fail('unsigned', 1, 'the trail has no checkpoint');
    if (against && size < against.size) {
      fail('rolled_back', size + 1, `the trail ends here; the given checkpoint counts ${against.size} entries`);
    }
  }

  /** Up to where the trail has been confirmed by a checkpoint below `place`. */
  #sizeBefore(place: number): number {
    return Math.max(0, ...[...this.#expected.keys()].filter((size) => size < place));
  }
}
