// Text by others, made harmless to look at and no longer than there is room for.

import { shownCharacters } from "../domain/unseen.ts";

/**
 * The text in composed form (NFC), each unseen character as `\u{202E}`, cut to `most` characters (the cut is shown by `…`).
 * An escape is never cut in two, and no more of the text is read than the answer can hold.
 */
export function neutralise(text: string, most: number): string {
  let safe = "";
  for (const shown of shownCharacters(text.slice(0, most * 4).normalize("NFC"))) {
    if (safe.length + shown.length > most) return `${safe}…`;
    safe += shown;
  }
  return text.length > most * 4 ? `${safe}…` : safe;
}
