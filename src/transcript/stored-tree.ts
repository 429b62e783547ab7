// An RFC 6962 tree that keeps the hash of every full subtree: proofs for any of its leaves cost a few hashes each, and a leaf costs 64 bytes.

import { nodeHash, emptyRoot } from "./tree.ts";

export interface StoredTree {
  size(): number;
  /** Adds one leaf by its leaf hash. */
  readonly grow: (leaf: Uint8Array) => void;
  /** The root over the first `size` leaves. */
  readonly rootAt: (size: number) => Uint8Array;
  /** PATH(index, the first `size` leaves) of RFC 6962, section 2.1.1. */
  readonly inclusion: (index: number, size: number) => readonly Uint8Array[];
  /** PROOF(earlier, the first `size` leaves) of RFC 6962, section 2.1.2. */
  readonly consistency: (earlier: number, size: number) => readonly Uint8Array[];
}

const width = 32;

export function storeTree(): StoredTree {
  /** Level n holds the hashes of the full subtrees of 2^n leaves, one after the other. */
  const levels: { bytes: Buffer; count: number }[] = [];

  function put(level: number, hash: Uint8Array): void {
    const row = (levels[level] ??= { bytes: Buffer.allocUnsafe(width * 64), count: 0 });
    if (row.count * width === row.bytes.length) row.bytes = Buffer.concat([row.bytes], row.bytes.length * 2);
    row.bytes.set(hash, row.count * width);
    row.count++;
  }
  function at(level: number, place: number): Uint8Array {
    return (levels[level] as { bytes: Buffer }).bytes.subarray(place * width, (place + 1) * width);
  }

  /** The hash over the leaves from `from` up to `to`, where RFC 6962 has a node. The right edge is asked for again and again: `edge` remembers it. */
  function over(from: number, to: number, edge: Map<number, Uint8Array>): Uint8Array {
    const level = Math.log2(to - from);
    if (Number.isInteger(level)) return at(level, from / 2 ** level);
    const known = edge.get(from);
    if (known !== undefined) return known;
    const half = from + splitOf(to - from);
    const found = nodeHash(over(from, half, edge), over(half, to, edge));
    edge.set(from, found);
    return found;
  }
  let edges: { readonly size: number; readonly edge: Map<number, Uint8Array> } = { size: -1, edge: new Map() };
  function edgeOf(size: number): Map<number, Uint8Array> {
    if (edges.size !== size) edges = { size, edge: new Map() };
    return edges.edge;
  }
  const leaves = (): number => levels[0]?.count ?? 0;

  return {
    size: leaves,
    grow(leaf) {
      put(0, leaf);
      for (let level = 0; (levels[level]?.count ?? 0) % 2 === 0; level++) {
        const last = levels[level]?.count ?? 0;
        put(level + 1, nodeHash(at(level, last - 2), at(level, last - 1)));
      }
    },
    rootAt(size) {
      if (!(size >= 0 && size <= leaves())) throw new RangeError("no such size");
      return size === 0 ? emptyRoot : over(0, size, edgeOf(size));
    },
    inclusion(index, size) {
      if (!(index >= 0 && index < size && size <= leaves())) throw new RangeError("no such leaf");
      const edge = edgeOf(size);
      const path: Uint8Array[] = [];
      for (let [from, to] = [0, size]; to - from > 1;) {
        const half = from + splitOf(to - from);
        path.push(index < half ? over(half, to, edge) : over(from, half, edge));
        if (index < half) to = half;
        else from = half;
      }
      return path.toReversed();
    },
    consistency(earlier, size) {
      if (!(earlier >= 1 && earlier <= size && size <= leaves())) throw new RangeError("no such earlier size");
      const edge = edgeOf(size);
      const path: Uint8Array[] = [];
      let [from, to] = [0, size];
      while (earlier !== to) {
        const half = from + splitOf(to - from);
        path.push(earlier <= half ? over(half, to, edge) : over(from, half, edge));
        if (earlier <= half) to = half;
        else from = half;
      }
      // A subtree that is whole from the first leaf on is the earlier root itself, which the reader has.
      return from === 0 ? path.toReversed() : [over(from, to, edge), ...path.toReversed()];
    },
  };
}

/** The largest power of two below `count`, which is at least 2: where RFC 6962 splits a tree. */
function splitOf(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}
