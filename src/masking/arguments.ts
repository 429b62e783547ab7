// Command lines as lists of words: which of them a flag or a program makes secret.

import { hides, type Field } from "./fields.ts";
import { flagsOf, secretPart } from "./programs.ts";
import { isToken } from "./token.ts";
import { isPlaceholder, isReference } from "./values.ts";
import type { MaskType } from "./token.ts";

/** One word of which everything from `from` on is secret. */
export interface SecretWord {
  readonly type: MaskType;
  readonly from: number;
}

/**
 * The secret words by their index: the one after `--password`, the rest of mysql's `-p…`, the part after the colon of
 * curl's `-u`. `line` is the whole command line, its program first; `words` the part of it that is looked at.
 */
export function secretWords(
  words: readonly string[],
  line: readonly string[],
  remember: (name: string) => Field | undefined,
): ReadonlyMap<number, SecretWord> {
  const found = new Map<number, SecretWord>();
  const flags = flagsOf(line[0] ?? "", line);
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    const next = words[index + 1];
    const field = word.startsWith("-") && /^--?[A-Za-z][\w.-]*$/.test(word) ? remember(word) : undefined;
    if (field !== undefined && next !== undefined && !next.startsWith("-") && hides(field, next, "variable")) {
      if (!isToken(next)) found.set(index + 1, { type: field.type, from: 0 });
      continue;
    }
    const part = flags === undefined ? undefined : secretPart(flags, word, next);
    if (part === undefined) continue;
    const at = part.in === "self" ? index : index + 1;
    const value = (words[at] ?? "").slice(part.from);
    if (value === "" || isToken(value) || isReference(value) || isPlaceholder(value)) continue;
    found.set(at, { type: "password", from: part.from });
  }
  return found;
}
