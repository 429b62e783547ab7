// Tokens that were accepted, by their hash: a caller shows the same one with every call, and its signature says the same each time.

import { createHash } from "node:crypto";
import { deepFreeze } from "../domain/json.ts";
import type { Accepted } from "./verifiers/contract.ts";

export interface Remembered {
  /** What the token was accepted as under exactly this `proof`, not later than it ends; null where it must be looked at anew. */
  find(token: string, proof: object, now: number): Accepted | null;
  /** Keeps it until `until`, milliseconds since 1970. */
  keep(token: string, proof: object, until: number, accepted: Accepted): void;
}

/** Keeps at most `most`, the oldest going first. `proof` is what the answer stood on: another object, and nothing that was kept counts. */
export function remember(most = 4_000): Remembered {
  const kept = new Map<string, { readonly proof: object; readonly until: number; readonly accepted: Accepted }>();
  const keyOf = (token: string): string => createHash("sha256").update(token).digest("base64");
  return {
    find(token, proof, now) {
      const key = keyOf(token);
      const found = kept.get(key);
      if (found === undefined) return null;
      if (found.proof === proof && now < found.until) return found.accepted;
      kept.delete(key);
      return null;
    },
    keep(token, proof, until, accepted) {
      const [oldest] = kept.keys();
      if (kept.size >= most && oldest !== undefined) kept.delete(oldest);
      kept.set(keyOf(token), { proof, until, accepted: deepFreeze(accepted) });
    },
  };
}
