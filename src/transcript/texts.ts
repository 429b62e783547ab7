// Short texts that line after line repeats: made of their bytes once, and known again as long as no other takes their place.

import { isSame, viewOf } from "./same-bytes.ts";

/** How many are remembered. */
const slots = 1 << 14;
/** Longer ones are not: bounds the memory. */
const longest = 64;

/** The text in `bytes[start, end)`, which must be ASCII behind at least four bytes of anything. */
export type ReadText = (bytes: Buffer, start: number, end: number) => string;

/** A reader with a memory of its own. */
export function openTexts(): ReadText {
  const texts: string[] = Array.from({ length: slots }, () => "");
  const kept = Buffer.alloc(slots * longest);
  const keptView = viewOf(kept);
  let seen: Buffer = kept;
  let view = keptView;
  return (bytes, start, end) => {
    const length = end - start;
    if (length === 0) return "";
    if (length > longest) return bytes.toString("latin1", start, end);
    if (bytes !== seen) [seen, view] = [bytes, viewOf(bytes)];
    // Ids begin alike: their ends tell them apart.
    const slot = (Math.imul(view.getInt32(end - 4) + length, 0x9e3779b1) >>> 18) & (slots - 1);
    const known = texts[slot] as string;
    if (known.length === length && isSame(view, start, keptView, slot * longest, length)) return known;
    bytes.copy(kept, slot * longest, start, end);
    return (texts[slot] = bytes.toString("latin1", start, end));
  };
}
