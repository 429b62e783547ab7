// The Merkle tree: known roots of RFC 6962 implementations, the recursive definition, proofs and false proofs.

import * as fc from "fast-check";
import { expect } from "vitest";
import {
  consistencyProof,
  emptyRoot,
  growTree,
  inclusionProof,
  leafHash,
  leafHashOfPrefixed,
  nodeHash,
  provesConsistency,
  provesInclusion,
  rootOf,
} from "../../../src/transcript/tree.ts";
import { promise } from "../../support/promise.ts";

const hex = (text: string): Buffer => Buffer.from(text, "hex");

/** Leaves and roots that the Certificate Transparency implementations share as test data. */
const known: readonly (readonly [leaf: string, root: string])[] = [
  ["", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"],
  ["00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
  ["10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"],
  ["2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"],
  ["3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"],
  ["40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"],
  ["5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"],
  ["606162636465666768696a6b6c6d6e6f", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"],
];

promise("transcript:tree", "the known roots come out, leaf by leaf", () => {
  const tree = growTree();
  expect(tree.root().toString("hex")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (const [leaf, root] of known) {
    tree.grow(leafHash(hex(leaf)));
    expect(tree.root().toString("hex")).toBe(root);
  }
  expect(leafHashOfPrefixed(hex("002021"))).toEqual(leafHash(hex("2021")));
});

promise("transcript:tree", "the known proofs of eight leaves come out", () => {
  const leaves = known.map(([leaf]) => leafHash(hex(leaf)));
  expect(inclusionProof(leaves, 0).map((one) => one.toString("hex"))).toEqual([
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
  ]);
  expect(consistencyProof(leaves, 6).map((one) => one.toString("hex"))).toEqual([
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  ]);
});

const leavesOf = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, index) => leafHash(Buffer.from(`${index}`)));

/** MTH of RFC 6962, section 2.1, word for word. */
function definition(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return emptyRoot;
  if (leaves.length === 1) return leaves[0] as Buffer;
  let half = 1;
  while (half * 2 < leaves.length) half *= 2;
  return nodeHash(definition(leaves.slice(0, half)), definition(leaves.slice(half)));
}

promise("transcript:tree", "growing gives the root of the definition at every size, also from saved peaks", () => {
  const leaves = leavesOf(130);
  const tree = growTree();
  for (const [index, leaf] of leaves.entries()) {
    tree.grow(leaf);
    const saved = growTree({ size: tree.size(), peaks: tree.peaks() });
    expect([tree.size(), tree.root(), saved.root()]).toEqual([
      index + 1,
      definition(leaves.slice(0, index + 1)),
      tree.root(),
    ]);
  }
});

promise("transcript:tree", "every true proof holds, and none for another leaf, index, size, root or path", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 90 }), fc.nat(), fc.nat(), (size, pick, other) => {
      const leaves = leavesOf(size);
      const index = pick % size;
      const root = rootOf(leaves);
      const leaf = leaves[index] as Buffer;
      const proof = inclusionProof(leaves, index);
      expect(provesInclusion(leaf, index, size, proof, root)).toBe(true);
      expect(provesInclusion(leafHash(Buffer.from("x")), index, size, proof, root)).toBe(false);
      expect(provesInclusion(leaf, size, size, proof, root)).toBe(false);
      expect(provesInclusion(leaf, index, size, [...proof, root], root)).toBe(false);
      if (other % size !== index) expect(provesInclusion(leaf, other % size, size, proof, root)).toBe(false);
      if (proof.length > 0) expect(provesInclusion(leaf, index, size, proof.slice(1), root)).toBe(false);
    }),
  );
});

promise("transcript:tree", "every earlier tree is shown to be continued, and no other one is", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(), (size, pick) => {
      const leaves = leavesOf(size);
      const before = 1 + (pick % size);
      const earlier = { size: before, root: rootOf(leaves.slice(0, before)) };
      const later = { size, root: rootOf(leaves) };
      const proof = consistencyProof(leaves, before);
      expect(provesConsistency(earlier, later, proof)).toBe(true);
      const forged = { ...earlier, root: leafHash(Buffer.from("x")) };
      expect(provesConsistency(forged, later, proof)).toBe(false);
      expect(provesConsistency(earlier, { ...later, root: forged.root }, proof)).toBe(false);
      expect(provesConsistency(earlier, later, [...proof, forged.root])).toBe(false);
      expect(provesConsistency({ ...earlier, size: size + 1 }, later, proof)).toBe(false);
      if (before < size) expect(provesConsistency({ ...earlier, size: before + 1 }, later, proof)).toBe(false);
    }),
  );
  expect(provesConsistency({ size: 0, root: emptyRoot }, { size: 3, root: rootOf(leavesOf(3)) }, [])).toBe(true);
});
