// Masking for the operator's log: the configured profile under a key of its own, so that nothing in a log can be matched with what an agent was answered.

import type { SessionId } from "../domain/ids.ts";
import { openMasking, type MaskingOptions } from "../masking/mask.ts";
import { neutralise } from "../masking/neutral.ts";

/** Hides secrets in a text and writes out what a terminal would act on. Throws Faulted(output_withheld) where that fails. */
export function logMasking(
  options: Omit<MaskingOptions, "key">,
  random: (count: number) => Uint8Array,
): (text: string) => string {
  const masking = openMasking({ ...options, key: random(32) });
  // Of each line its own: the work that one masker may spend is bounded.
  return (text) => neutralise(masking.forCall({ id: "ses_log" as SessionId, door: "socket" }, {}).text(text)).text;
}
