// Is a token signed by one of its issuer's keys? A key that nobody knows yet is looked for once.

import type { Kept } from "./kept.ts";
import { keyFor, type Chosen, type KeySet } from "./keys.ts";
import { refused, type Refused } from "./refused.ts";
import { signatureHolds } from "./signatures.ts";
import type { Token } from "./token.ts";

/** `by`: the set that held the key. As long as it is the one that counts, so does the signature. */
export type Signed<S> = { readonly kind: "signed"; readonly by: S } | Refused;

/** Proves the signature by a key of the set that counts now. */
export async function proveSignature<S extends KeySet>({ text, header }: Token, keys: Kept<S>): Promise<Signed<S>> {
  let set = await keys.get();
  if (set === null) return refused("the issuer's keys are not there");
  let chosen: Chosen = keyFor(set, header);
  if (chosen.kind === "unknown") {
    set = (await keys.again()) ?? set;
    chosen = keyFor(set, header);
  }
  switch (chosen.kind) {
    case "unknown":
      return refused("the issuer has no key of this kid", header.kid);
    case "unfit":
      return refused("the key does not fit the algorithm, or which key is meant can't be told", header.alg);
    case "key":
      return signatureHolds(text, header.alg, chosen.key.key)
        ? { kind: "signed", by: set }
        : refused("the signature is wrong");
  }
}
