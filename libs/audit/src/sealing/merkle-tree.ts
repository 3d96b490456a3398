import { hash } from 'node:crypto';

/** A SHA-256 hash, 32 bytes. */
export type Hash = Buffer;

const EMPTY = hash('sha256', '', 'buffer');

/** The hash of a leaf. Its first byte tells it from that of a node, so that no node can pass for an entry. */
export function leafHash(text: string): string {
  return hash('sha256', `\0${text}`, 'base64url');
}

/** The hash of two neighbouring subtrees. */
export function nodeHash(left: Hash, right: Hash): Hash {
  // A buffer of its own: hashing is synchronous, but the scratch space must not be that of somebody's result.
  scratch[0] = 1;
  left.copy(scratch, 1);
  right.copy(scratch, 33);
  return hash('sha256', scratch, 'buffer');
}

const scratch = Buffer.alloc(65);

/** A hash as it is stored and sent. */
export function toText(it: Hash): string {
  return it.toString('base64url');
}

/** @returns a hash, or `undefined` when the text is none */
export function fromText(text: unknown): Hash | undefined {
  if (typeof text !== 'string') return undefined;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.length === 32 && toText(bytes) === text ? bytes : undefined;
}

/**
 * The right edge of a growing Merkle tree: the roots of its perfect subtrees, largest first. All that is needed to append
 * and to know the root, in as many hashes as the size has one-bits.
 *
 * @see RFC 6962, section 2.1: the same tree, byte for byte
 */
export class MerkleFrontier {
  readonly #nodes: Hash[];
  #size: number;

  constructor(size = 0, nodes: readonly Hash[] = []) {
    this.#size = size;
    this.#nodes = [...nodes];
  }

  get size(): number {
    return this.#size;
  }

  get nodes(): readonly Hash[] {
    return this.#nodes;
  }

  /** Whether there are as many subtrees as the size has: fewer could have the same root. */
  get isWhole(): boolean {
    return this.#nodes.length === this.#size.toString(2).replaceAll('0', '').length;
  }

  append(leaf: Hash): void {
    let node = leaf;
    for (let rest = this.#size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      node = nodeHash(this.#nodes.pop() as Hash, node);
    }
    this.#nodes.push(node);
    this.#size++;
  }

  root(): Hash {
    const [last, ...before] = this.#nodes.toReversed();
    return last ? before.reduce((right, left) => nodeHash(left, right), last) : EMPTY;
  }
}

/** Leaves from `start` to before `end`, counted from 0. */
export interface LeafRange {
  readonly start: number;
  readonly end: number;
}

/** The largest power of two below `size`: where a tree of more than one leaf is split. */
function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

/** Which subtrees prove that leaf `index` is in the tree of `size` leaves, lowest first. */
export function inclusionRanges(index: number, size: number, start = 0): LeafRange[] {
  if (size <= 1) return [];
  const split = splitOf(size);
  const middle = start + split;
  return index < split
    ? [...inclusionRanges(index, split, start), { start: middle, end: start + size }]
    : [...inclusionRanges(index - split, size - split, middle), { start, end: middle }];
}

/** Which subtrees prove that the tree of `from` leaves is the beginning of the one of `to`. */
export function consistencyRanges(from: number, to: number): LeafRange[] {
  return from === 0 ? [] : subRanges(from, to, 0, true);
}

function subRanges(from: number, size: number, start: number, isWhole: boolean): LeafRange[] {
  if (from === size) return isWhole ? [] : [{ start, end: start + size }];
  const split = splitOf(size);
  const middle = start + split;
  return from <= split
    ? [...subRanges(from, split, start, isWhole), { start: middle, end: start + size }]
    : [...subRanges(from - split, size - split, middle, false), { start, end: middle }];
}

/** Whether `proof` leads from a leaf to the root of a tree. @see RFC 9162, section 2.1.3.2 */
export function provesInclusion(
  leaf: Hash,
  index: number,
  tree: { readonly size: number; readonly root: Hash },
  proof: readonly Hash[],
): boolean {
  if (index < 0 || index >= tree.size) return false;
  let node = leaf;
  let at = index;
  let last = tree.size - 1;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      node = nodeHash(sibling, node);
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)];
    } else node = nodeHash(node, sibling);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 && node.equals(tree.root);
}

/** Whether `proof` shows that one tree is the beginning of another. @see RFC 9162, section 2.1.4.2 */
export function provesConsistency(
  from: { readonly size: number; readonly root: Hash },
  to: { readonly size: number; readonly root: Hash },
  proof: readonly Hash[],
): boolean {
  if (from.size > to.size) return false;
  if (from.size === to.size) return proof.length === 0 && from.root.equals(to.root);
  if (from.size === 0) return proof.length === 0;
  const path = Number.isInteger(Math.log2(from.size)) ? [from.root, ...proof] : [...proof];
  const first = path.shift();
  if (!first) return false;
  let [at, last] = [from.size - 1, to.size - 1];
  while (at % 2 === 1) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  let [old, grown] = [first, first];
  for (const sibling of path) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      old = nodeHash(sibling, old);
      grown = nodeHash(sibling, grown);
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)];
    } else grown = nodeHash(grown, sibling);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 && old.equals(from.root) && grown.equals(to.root);
}
