// Is a token signed by one of its issuer's keys? A key that nobody knows yet is looked for once.

import { textAt, type JsonObject } from "../domain/json.ts";
import type { Kept } from "./kept.ts";
import { keyFor, type Chosen, type KeySet, type PublicKey } from "./keys.ts";
import { refused, type Refused } from "./refused.ts";
import type { Token } from "./token.ts";

/** What the library for signatures does. Both reject where they can't. */
export interface Signatures<K> {
  importKey(jwk: JsonObject, alg: string): Promise<K>;
  /** Rejects unless the key signed exactly this text with this algorithm. */
  check(token: string, key: K, alg: string): Promise<unknown>;
}

/** The library's own functions (jose), which this folder does not import. */
export interface SignatureLibrary<K> {
  readonly importJWK: (jwk: { kty: string }, alg: string) => Promise<K | Uint8Array>;
  readonly compactVerify: (token: string, key: K, options: { algorithms: string[] }) => Promise<unknown>;
}

/** Only what makes the key is imported: what else its issuer wrote beside it was read before. */
export function signaturesBy<K extends object>({ importJWK, compactVerify }: SignatureLibrary<K>): Signatures<K> {
  return {
    async importKey({ n, e, crv, x, y, ...jwk }, alg) {
      const parts = Object.entries({ n, e, crv, x, y }).filter(([, part]) => typeof part === "string");
      const key = await importJWK({ ...Object.fromEntries(parts), kty: textAt(jwk, "kty") }, alg);
      if (key instanceof Uint8Array) throw new Error("a secret is no public key");
      return key;
    },
    check: (token, key, alg) => compactVerify(token, key, { algorithms: [alg] }),
  };
}

/** `by`: the set that held the key. As long as it is the one that counts, so does the signature. */
export type Signed<S> = { readonly kind: "signed"; readonly by: S } | Refused;

/** Proves the signature by a key of the set that counts now. */
export async function proveSignature<K, S extends KeySet<K>>(
  { text, header }: Token,
  keys: Kept<S>,
  signatures: Signatures<K>,
): Promise<Signed<S>> {
  let set = await keys.get();
  if (set === null) return refused("the issuer's keys are not there");
  let chosen: Chosen<K> = keyFor(set, header);
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
      return (await isSigned(text, chosen.key, header.alg, signatures))
        ? { kind: "signed", by: set }
        : refused("the signature is wrong");
  }
}

async function isSigned<K>(text: string, key: PublicKey<K>, alg: string, signatures: Signatures<K>): Promise<boolean> {
  const imported = key.imported.get(alg) ?? signatures.importKey(key.jwk, alg);
  key.imported.set(alg, imported);
  return await imported
    .then((one) => signatures.check(text, one, alg))
    .then(
      () => true,
      () => false,
    );
}
