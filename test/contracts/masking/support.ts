// A masker for the tests: a fixed key, one session, nothing supplied unless said.

import type { SessionId } from "../../../src/domain/ids.ts";
import type { Json } from "../../../src/domain/json.ts";
import { openMasking, type CallMasker, type MaskingOptions } from "../../../src/masking/mask.ts";

export const key = new Uint8Array(32).fill(7);
const shared = openMasking({ key });

/** A masker of a call in session `name` that sent `supplied`. */
export function masker(supplied: Json = {}, name = "one", options?: Partial<MaskingOptions>): CallMasker {
  const masking = options === undefined ? shared : openMasking({ key, ...options });
  return masking.forCall({ id: `ses_${name}` as SessionId, door: "stdio" }, supplied);
}

/** Masks one text in a call of its own. */
export function maskText(text: string): string {
  return masker({}, "text").text(text);
}
