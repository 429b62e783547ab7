// A masker for the tests: a fixed key, one session, nothing supplied unless said.

import type { Json } from "../../../src/domain/json.ts";
import type { SessionId } from "../../../src/domain/ids.ts";
import { openMasking, type CallMasker, type MaskingOptions } from "../../../src/masking/mask.ts";

export const key = new Uint8Array(32).fill(7);

/** A masker of a call in session `name` that sent `supplied`. */
export function masker(supplied: Json = {}, name = "one", options: Partial<MaskingOptions> = {}): CallMasker {
  return openMasking({ key, ...options }).forCall({ id: `ses_${name}` as SessionId, door: "stdio" }, supplied);
}

const shared = openMasking({ key });

/** Masks one text in a call of its own. */
export function maskText(text: string): string {
  return shared.forCall({ id: "ses_text" as SessionId, door: "stdio" }, {}).text(text);
}
