import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  consistencyRanges,
  fromText,
  type Hash,
  inclusionRanges,
  type LeafRange,
  leafHash,
  MerkleFrontier,
  provesConsistency,
  provesInclusion,
} from './merkle-tree.js';

const SIZE = 40;
const leaves = Array.from({ length: SIZE }, (_, index) => fromText(leafHash(`entry ${index}`)) as Hash);

function treeOf({ start, end }: LeafRange): Hash {
  const tree = new MerkleFrontier();
  for (const leaf of leaves.slice(start, end)) tree.append(leaf);
  return tree.root();
}

const rootOf = (size: number) => treeOf({ start: 0, end: size });

/** RFC 6962, section 2.1, word for word. */
function referenceRoot(from: readonly Hash[]): Hash {
  const [only] = from;
  if (!only) return createHash('sha256').digest();
  if (from.length === 1) return only;
  let split = 1;
  while (split * 2 < from.length) split *= 2;
  const [left, right] = [referenceRoot(from.slice(0, split)), referenceRoot(from.slice(split))];
  return createHash('sha256').update(Buffer.of(1)).update(left).update(right).digest();
}

describe('the Merkle tree', () => {
  it('hashes leaves and nodes as RFC 6962 does', () => {
    expect(fromText(leafHash('x'))).toEqual(createHash('sha256').update('\0x').digest());
    for (let size = 0; size <= SIZE; size++) expect(rootOf(size)).toEqual(referenceRoot(leaves.slice(0, size)));
  });

  it('proves every leaf in every size, and no other leaf, place or tree', () => {
    for (let size = 1; size <= SIZE; size++) {
      const tree = { size, root: rootOf(size) };
      for (let index = 0; index < size; index++) {
        const proof = inclusionRanges(index, size).map(treeOf);
        const leaf = leaves[index] as Hash;
        expect(provesInclusion(leaf, index, tree, proof)).toBe(true);
        expect(provesInclusion(leaves[(index + 1) % SIZE] as Hash, index, tree, proof)).toBe(false);
        if (size > 1) expect(provesInclusion(leaf, (index + 1) % size, tree, proof)).toBe(false);
        expect(provesInclusion(leaf, index, tree, [...proof, leaf])).toBe(false);
        expect(provesInclusion(leaf, index, { size, root: rootOf(size + 1) }, proof)).toBe(size === SIZE);
      }
    }
  });

  it('proves every size to be the beginning of every larger one, and nothing else', () => {
    for (let to = 1; to <= SIZE; to++) {
      for (let from = 1; from <= to; from++) {
        const proof = consistencyRanges(from, to).map(treeOf);
        const [before, after] = [
          { size: from, root: rootOf(from) },
          { size: to, root: rootOf(to) },
        ];
        expect(provesConsistency(before, after, proof)).toBe(true);
        const other = { size: from, root: leafOfNowhere };
        expect(provesConsistency(other, after, proof)).toBe(false);
        if (from < to) expect(provesConsistency(before, { size: to, root: leafOfNowhere }, proof)).toBe(false);
        expect(provesConsistency(after, before, proof)).toBe(from === to);
      }
    }
  });

  it('knows an edge with too few subtrees', () => {
    expect(new MerkleFrontier(3, [rootOf(3)]).isWhole).toBe(false);
    expect(new MerkleFrontier(4, [rootOf(4)]).isWhole).toBe(true);
  });
});

const leafOfNowhere = fromText(leafHash('nowhere')) as Hash;
