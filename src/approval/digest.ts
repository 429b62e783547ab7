// One digest for all of approval: SHA-256 over canonical JSON (RFC 8785), so that equal content gives equal digests everywhere.

import { createHash } from "node:crypto";
import canonicalize from "canonicalize";

/** SHA-256 of the value's canonical JSON, hex. Plain JSON only: a lone surrogate or a number that JSON can't hold throws. */
export function digestOf(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("only JSON has a digest");
  return createHash("sha256").update(text).digest("hex");
}
