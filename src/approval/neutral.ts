// Text by others, made harmless to look at and no longer than there is room for.

import { shownCharacters } from "../domain/unseen.ts";

/**
 * The text in composed form (NFC), each unseen character as `\u{202E}`, cut to `most` characters (the cut is shown by `…`).
 * An escape is never cut in two, and no more of the text is read than the answer can hold.
 */
export function neutralise(text: string, most: number): string {
  const { shown, whole } = fitted(text, most);
  return whole ? shown : `${shown}…`;
}

/** The same without the `…`, which may be the text's own: `whole` says whether anything was cut. */
export function fitted(text: string, most: number): { readonly shown: string; readonly whole: boolean } {
  let shown = "";
  for (const character of shownCharacters(text.slice(0, most * 4).normalize("NFC"))) {
    if (shown.length + character.length > most) return { shown, whole: false };
    shown += character;
  }
  return { shown, whole: text.length <= most * 4 };
}
