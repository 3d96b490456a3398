import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';
import { currentContext } from '#libs/context';
import { CurrentEntityManager } from '#libs/persistence';
import { AuditSeal } from '../entities/audit-seal.entity.js';
import { AuditEntryNotFoundError } from '../errors/audit-entry-not-found.error.js';
import { InvalidProofRangeError } from '../errors/invalid-proof-range.error.js';
import { AuditSealer } from './audit-sealer.js';
import type { SignedCheckpoint } from './checkpoint.js';
import { leafOf, type StoredEntry, storedEntryText } from './entry-text.js';
import {
  consistencyRanges,
  fromText,
  type Hash,
  inclusionRanges,
  type LeafRange,
  MerkleFrontier,
  provesConsistency,
  provesInclusion,
  toText,
} from './merkle-tree.js';
import { TrailRows } from './trail-rows.js';

/** Shows that an entry is in the trail that a checkpoint stands for, without the rest of the trail. */
export interface InclusionProof {
  readonly checkpoint: SignedCheckpoint;
  readonly position: number;
  /** Leaf of the position before; empty at the first. */
  readonly previous: string;
  /** The entry as it was hashed; absent when it was purged. */
  readonly entry?: StoredEntry;
  readonly leaf: string;
  /** Hashes from the leaf up, base64url, as in RFC 9162. */
  readonly path: readonly string[];
}

/** Shows that the trail of one checkpoint is the beginning of the trail of another. */
export interface ConsistencyProof {
  readonly from: number;
  readonly checkpoint: SignedCheckpoint;
  readonly path: readonly string[];
}

const PAGE = 5000;

/** Makes proofs from the seals of the context's tenant. Each reads all leaves of the trail once. */
@Injectable()
export class AuditProofs {
  constructor(
    private readonly entityManager: CurrentEntityManager,
    private readonly sealer: AuditSealer,
  ) {}

  /**
   * The proof of one entry against the present checkpoint.
   * @throws {AuditEntryNotFoundError} also for one that is not sealed
   */
  async inclusion(entryId: string): Promise<InclusionProof> {
    const { checkpoint } = await this.sealer.seal();
    const em = this.entityManager.get().fork() as SqlEntityManager;
    const seal = await em.findOne(AuditSeal, { id: entryId }, { disableIdentityMap: true });
    if (!seal || seal.position > checkpoint.size) throw new AuditEntryNotFoundError(entryId);
    const rows = new TrailRows(em, currentContext().getTenant().id);
    const { position, leaf } = seal;
    const [[before], [item]] = [
      await rows.leaves(position - 2, position - 1, 1),
      await rows.sealed(position - 1, position, 1),
    ];
    const ranges = inclusionRanges(position - 1, checkpoint.size);
    const path = await hashesOf(rows, ranges, checkpoint.size);
    return {
      checkpoint,
      position,
      previous: before?.leaf ?? '',
      ...(item?.entry && { entry: item.entry }),
      leaf,
      path,
    };
  }

  /**
   * The proof that a former size of the trail is its beginning still.
   * @throws {InvalidProofRangeError} the trail is not that long
   */
  async consistency(from: number): Promise<ConsistencyProof> {
    const { checkpoint } = await this.sealer.seal();
    if (from > checkpoint.size) throw new InvalidProofRangeError(from, checkpoint.size);
    const rows = new TrailRows(this.entityManager.get().fork() as SqlEntityManager, currentContext().getTenant().id);
    return { from, checkpoint, path: await hashesOf(rows, consistencyRanges(from, checkpoint.size), checkpoint.size) };
  }
}

/** Roots of disjoint subtrees, by one walk over the leaves. */
async function hashesOf(rows: TrailRows, ranges: readonly LeafRange[], size: number): Promise<string[]> {
  const trees = ranges.map((range) => ({ range, tree: new MerkleFrontier() }));
  const inOrder = trees.toSorted((a, b) => a.range.start - b.range.start);
  for (let after = 0, at = 0; after < size && at < inOrder.length; ) {
    const page = await rows.leaves(after, size, PAGE);
    if (page.length === 0) break;
    for (const { position, leaf } of page) {
      while (inOrder[at] && (inOrder[at]?.range.end ?? 0) < position) at++;
      const current = inOrder[at];
      if (current && position > current.range.start) current.tree.append(fromText(leaf) as Hash);
    }
    after = page.at(-1)?.position ?? size;
  }
  return trees.map(({ tree }) => toText(tree.root()));
}

const toHashes = (path: readonly string[]) => path.flatMap((text) => fromText(text) ?? []);

/**
 * Checks an inclusion proof without any database: that the entry has this leaf at its position, and that the path leads from
 * it to the root of the checkpoint. Whose checkpoint it is, its signature says: `verifyCheckpoint`.
 */
export function isIncluded({ checkpoint, position, previous, entry, leaf, path }: InclusionProof): boolean {
  const [hash, root] = [fromText(leaf), fromText(checkpoint.root)];
  if (!hash || !root) return false;
  if (
    entry &&
    (leafOf(position, previous, storedEntryText(entry)) !== leaf || entry.tenantId !== checkpoint.tenantId)
  ) {
    return false;
  }
  return provesInclusion(hash, position - 1, { size: checkpoint.size, root }, toHashes(path));
}

/** Checks a consistency proof against the checkpoint that was kept, without any database. */
export function isConsistent(kept: SignedCheckpoint, { from, checkpoint, path }: ConsistencyProof): boolean {
  const [before, after] = [fromText(kept.root), fromText(checkpoint.root)];
  if (!before || !after || from !== kept.size || kept.tenantId !== checkpoint.tenantId) return false;
  return provesConsistency({ size: from, root: before }, { size: checkpoint.size, root: after }, toHashes(path));
}
