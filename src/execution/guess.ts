// What a write over a hidden value may tell: whether it is refused must not depend on the value that stands there, or every refusal would say whether a guess was right.

import { at, isJsonObject, textAt, type Json } from "../domain/json.ts";
import { namers, stepped, type Kept, type Twice } from "./keep.ts";
import { pointerParts } from "./write-body.ts";

/**
 * The body with another value of the same form wherever it says one over a hidden one; null where it says none. A write
 * that this body would be refused is refused whatever it says itself (masking.md, "No oracle"): conflicts, fields that
 * can't be changed and admission would else let a right guess through and no wrong one.
 */
export function otherwise({ sent, given }: Kept, { stored, shown }: Twice): Json | null {
  const hidden = new Set<string>();
  hiddenPlaces(stored, shown, "", hidden);
  if (hidden.size === 0) return null;
  const other = Array.isArray(given)
    ? otherSteps(sent as readonly Json[], given as readonly Json[], shown, hidden)
    : otherIn(sent, given, "", hidden);
  return other === sent ? null : other;
}

/** Where the live object hides a value. Members of lists are told apart by what the masker goes by, not by their place, which a merge may change. */
function hiddenPlaces(stored: Json | undefined, shown: Json | undefined, path: string, found: Set<string>): void {
  if (stored === shown || stored === undefined) return;
  if (typeof stored !== "object" || stored === null || typeof shown !== "object") {
    if (stored !== shown) found.add(path);
    return;
  }
  const lists = Array.isArray(stored);
  for (const [key, inner] of Object.entries(stored))
    hiddenPlaces(
      inner,
      at(shown, lists ? Number(key) : key),
      `${path}${lists ? member(inner, key) : field(key)}`,
      found,
    );
}

function otherIn(sent: Json, given: Json, path: string, hidden: ReadonlySet<string>): Json {
  if (typeof given === "string" || typeof given === "number") {
    // A mask stands for the stored value itself: it is no guess.
    return sent === given && hidden.has(path) ? another(given) : sent;
  }
  if (Array.isArray(given)) {
    const items = (given as readonly Json[]).map((item, index) =>
      otherIn(at(sent, index) ?? null, item, `${path}${member(item, String(index))}`, hidden),
    );
    return items.some((item, index) => item !== at(sent, index)) ? items : sent;
  }
  if (!isJsonObject(given) || !isJsonObject(sent)) return sent;
  const fields = Object.entries(sent).map(([key, inner]) => {
    const says = at(given, key);
    return [key, says === undefined ? inner : otherIn(inner, says, `${path}${field(key)}`, hidden)] as const;
  });
  return fields.some(([key, inner]) => inner !== sent[key]) ? Object.fromEntries(fields) : sent;
}

/** The steps of a JSON Patch, each as the steps before it left the object. */
function otherSteps(
  sent: readonly Json[],
  given: readonly Json[],
  shown: Json | undefined,
  hidden: ReadonlySet<string>,
): Json {
  let now = shown;
  const steps = given.map((step, index) => {
    const whole = sent[index] ?? null;
    const [value, says] = [at(whole, "value"), at(step, "value")];
    const place = placeAt(now, pointerParts(textAt(step, "path")));
    now = stepped(now, step);
    if (value === undefined || says === undefined || !isJsonObject(whole)) return whole;
    const other = otherIn(value, says, place, hidden);
    return other === value ? whole : { ...whole, value: other };
  });
  return steps.some((step, index) => step !== sent[index]) ? steps : sent;
}

function placeAt(document: Json | undefined, parts: readonly string[]): string {
  let [here, path] = [document, ""];
  for (const part of parts) {
    const next: Json | undefined = Array.isArray(here) ? at(here, Number(part)) : at(here, part);
    path += Array.isArray(here) ? member(next ?? null, part) : field(part);
    here = next;
  }
  return path;
}

const field = (key: string): string => `.${JSON.stringify(key)}`;
/** A list of words is one value: each word of it at its own place. */
const member = (item: Json, index: string): string => {
  if (!isJsonObject(item)) return `[${index}]`;
  const name = namers.map((one) => textAt(item, one)).find((one) => one !== "");
  return name === undefined ? "[]" : `[${JSON.stringify(name)}]`;
};

/** Another value that passes wherever this one does: its last letter or digit is the next one of its kind. */
function another(value: string | number): string | number {
  if (typeof value === "number") return value + 1;
  const found = /[0-9A-Za-z](?=[^0-9A-Za-z]*$)/.exec(value);
  if (found === null) return `${value}x`;
  const [letter] = found;
  const next = { "9": "0", z: "a", Z: "A" }[letter] ?? String.fromCharCode(letter.charCodeAt(0) + 1);
  return `${value.slice(0, found.index)}${next}${value.slice(found.index + 1)}`;
}
