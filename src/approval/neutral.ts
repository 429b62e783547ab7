// Text by others, made harmless to look at: what can't be seen, or reorders what can, is written out.

/**
 * Characters that hide, reorder or break lines: controls, formats (bidi, zero width, tags), private use, unassigned,
 * lone surrogates, separators other than the plain space, and whatever Unicode says a renderer may ignore.
 */
const unseen = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/u;

/** Marks that stack on the letter before them: a few belong to languages, a tower of them covers the lines around. */
const mark = /\p{M}/u;
const highestTower = 3;

/**
 * The text in composed form (NFC), each unseen character as `\u{202E}`, cut to `most` characters (the cut is shown by `…`).
 * An escape is never cut in two, and no more of the text is read than the answer can hold.
 */
export function neutralise(text: string, most: number): string {
  const composed = text.slice(0, most * 4).normalize("NFC");
  let safe = "";
  let tower = 0;
  for (const character of composed) {
    tower = mark.test(character) ? tower + 1 : 0;
    const shown = unseen.test(character) || tower > highestTower ? escaped(character) : character;
    if (safe.length + shown.length > most) return `${safe}…`;
    safe += shown;
  }
  return text.length > most * 4 ? `${safe}…` : safe;
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`;
}
