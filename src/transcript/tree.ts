// The RFC 6962 Merkle tree: hashes, a tree that grows a leaf at a time, and the two proofs with their verifiers.

import { hash } from "node:crypto";

/** SHA-256 of nothing: the root of the empty tree (RFC 6962, section 2.1). */
export const emptyRoot: Buffer = sha256(Buffer.alloc(0));

/** The leaf hash, SHA-256(0x00 ‖ data), of bytes that already stand behind their 0x00 prefix. */
export function leafHashOfPrefixed(prefixed: Uint8Array): Buffer {
  return sha256(prefixed);
}

/** The same as 32 characters, a byte each: for whoever keeps it among others. */
export function leafTextOfPrefixed(prefixed: Uint8Array): string {
  return hash("sha256", prefixed, "binary");
}

/** The leaf hash, SHA-256(0x00 ‖ data). */
export function leafHash(data: Uint8Array): Buffer {
  return sha256(Buffer.concat([Buffer.of(0), data]));
}

/** Where the two hashes of a node stand together, behind their 0x01: one for all, as each is hashed at once. */
const both = Buffer.alloc(65, 1);

/** The hash of an inner node, SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  both.set(left, 1);
  both.set(right, 33);
  return sha256(both);
}

function sha256(bytes: Uint8Array): Buffer {
  // By way of a string: three times as fast as a Buffer of its own for each hash.
  return Buffer.from(hash("sha256", bytes, "binary"), "latin1");
}

/** A tree that remembers only the roots of its full subtrees, largest first: enough to grow and to know its root. */
export interface Tree {
  size(): number;
  /** Adds one leaf by its leaf hash: the 32 bytes from `from` on, which is 0 unless said. */
  grow(leaf: Uint8Array, from?: number): void;
  readonly root: () => Buffer;
  /** The roots of the full subtrees, largest first: what `growTree` needs to go on from here. */
  peaks(): readonly Uint8Array[];
}

/** More subtrees than a tree of countable size can have, and one leaf. */
const mostPeaks = 56;

/** A growing tree, empty or going on from the size and peaks of an earlier one. */
export function growTree(from: { size: number; peaks: readonly Uint8Array[] } = { size: 0, peaks: [] }): Tree {
  let size = from.size;
  let count = from.peaks.length;
  // The peaks stand one behind the other, so that two neighbours are hashed where they are.
  const peaks = Buffer.alloc(1 + 32 * mostPeaks);
  const peak = (at: number): Buffer => peaks.subarray(1 + 32 * at, 33 + 32 * at);
  const pairs = Array.from({ length: mostPeaks - 1 }, (_, at) => peaks.subarray(32 * at, 32 * at + 65));
  for (const [at, one] of from.peaks.entries()) peaks.set(one, 1 + 32 * at);

  /** Puts their parent in the place of the last two. */
  function join(): void {
    count--;
    const pair = pairs[count - 1] as Buffer;
    const before = pair[0] as number;
    pair[0] = 1;
    pair.write(hash("sha256", pair, "binary"), 1, "latin1");
    pair[0] = before;
  }
  return {
    size: () => size,
    grow(leaf, from = 0) {
      const to = 1 + 32 * count;
      for (let byte = 0; byte < 32; byte++) peaks[to + byte] = leaf[from + byte] as number;
      count++;
      // Each trailing 1 bit of the size is a full subtree that the new leaf completes into one twice as large.
      for (let rest = size; rest % 2 === 1; rest = Math.floor(rest / 2)) join();
      size++;
    },
    root() {
      if (size === 0) return emptyRoot;
      let right: Buffer = Buffer.from(peak(count - 1));
      for (let at = count - 2; at >= 0; at--) right = nodeHash(peak(at), right);
      return right;
    },
    peaks: () => Array.from({ length: count }, (_, at) => Buffer.from(peak(at))),
  };
}

/** The largest power of two below `size`, which is at least 2: where RFC 6962 splits a tree. */
function split(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}

/** The Merkle tree hash over leaf hashes (RFC 6962, section 2.1). */
export function rootOf(leaves: readonly Uint8Array[]): Buffer {
  const tree = growTree();
  for (const leaf of leaves) tree.grow(leaf);
  return tree.root();
}

/** PATH(index, leaves) of RFC 6962, section 2.1.1: the hashes from the leaf up to the root, over leaf hashes. */
export function inclusionProof(leaves: readonly Uint8Array[], index: number): readonly Buffer[] {
  if (!(index >= 0 && index < leaves.length)) throw new RangeError("no such leaf");
  if (leaves.length === 1) return [];
  const half = split(leaves.length);
  return index < half
    ? [...inclusionProof(leaves.slice(0, half), index), rootOf(leaves.slice(half))]
    : [...inclusionProof(leaves.slice(half), index - half), rootOf(leaves.slice(0, half))];
}

/** PROOF(size, leaves) of RFC 6962, section 2.1.2: that the tree over all leaves continues the one over the first `size`. */
export function consistencyProof(leaves: readonly Uint8Array[], size: number): readonly Buffer[] {
  if (!(size >= 1 && size <= leaves.length)) throw new RangeError("no such earlier size");
  return subproof(leaves, size, true);
}

function subproof(leaves: readonly Uint8Array[], size: number, whole: boolean): readonly Buffer[] {
  if (size === leaves.length) return whole ? [] : [rootOf(leaves)];
  const half = split(leaves.length);
  return size <= half
    ? [...subproof(leaves.slice(0, half), size, whole), rootOf(leaves.slice(half))]
    : [...subproof(leaves.slice(half), size - half, false), rootOf(leaves.slice(0, half))];
}

/** Does the proof show that `leaf` (a leaf hash) stands at `index` in the tree of this size and root? (RFC 9162, section 2.1.3.2) */
export function provesInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!(Number.isSafeInteger(index) && index >= 0 && index < size)) return false;
  let at = index;
  let last = size - 1;
  let here: Uint8Array = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      here = nodeHash(sibling, here);
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)];
    } else here = nodeHash(here, sibling);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 && Buffer.compare(here, root) === 0;
}

/** A tree head: how many leaves, and the root over them. */
export interface Head {
  readonly size: number;
  readonly root: Uint8Array;
}

/** Does the proof show that the later head continues the earlier one? (RFC 9162, section 2.1.4.2) */
export function provesConsistency(earlier: Head, later: Head, proof: readonly Uint8Array[]): boolean {
  if (earlier.size > later.size || earlier.size < 0) return false;
  if (earlier.size === later.size) return proof.length === 0 && Buffer.compare(earlier.root, later.root) === 0;
  if (earlier.size === 0) return proof.length === 0 && Buffer.compare(earlier.root, emptyRoot) === 0;
  // A power of two is itself a node of the later tree, which the proof then leaves out.
  const path = isPowerOfTwo(earlier.size) ? [earlier.root, ...proof] : proof;
  let at = earlier.size - 1;
  let last = later.size - 1;
  while (at % 2 === 1) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  const [first, ...rest] = path;
  if (first === undefined) return false;
  let old: Uint8Array = first;
  let grown: Uint8Array = first;
  for (const sibling of rest) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      old = nodeHash(sibling, old);
      grown = nodeHash(sibling, grown);
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)];
    } else grown = nodeHash(grown, sibling);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 && Buffer.compare(old, earlier.root) === 0 && Buffer.compare(grown, later.root) === 0;
}

function isPowerOfTwo(size: number): boolean {
  return size === 1 || split(size) * 2 === size;
}
