// What the key of an object says by itself, whatever stands below it: worked out once for each of the few names that objects have.

import type { Json } from "../domain/json.ts";
import type { Field } from "./fields.ts";
import { remembering } from "./memory.ts";
import { newRoom } from "./spans.ts";
import type { FindSecrets } from "./text.ts";

export interface Key {
  readonly field: Field | undefined;
  /** Keeps the value that the name of the object itself promises (`password: {value: x}`). */
  readonly holder: boolean;
  /** Its surroundings are looked at whatever stands there. */
  readonly surrounded: boolean;
  readonly privatePart: boolean;
  /** Says nothing at all: what stands under it is judged by where the object stands. */
  readonly plain: boolean;
  /** Some of what stands under it is dropped. */
  readonly drops: boolean;
  /** The key itself holds no secret. Where this is false it may still hold none. */
  readonly clean: boolean;
}

export type Keys = (key: string) => Key;

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";
const managedFields = "managedFields";
const holders = new Set("value plaintext plain text string stringValue default inline literal raw".split(" "));
/** The private members of a JSON Web Key (RFC 7518, section 6). */
const privateParts = new Set(["d", "p", "q", "dp", "dq", "qi", "k"]);
/** Keys whose surroundings decide before their own name does. */
const surrounded = new Set(["data", "stringData", "binaryData", "items", "rows", "args", "command", "value"]);
/** Shorter keys hold no secret of a known shape. */
const shortest = 20;
/** Keys that are remembered: how many, and how long. */
const most = { keys: 4096, characters: 128 };

/** Is this field dropped whole? */
export function isDropped(key: string, inner: Json): boolean {
  return key === lastApplied || (key === managedFields && Array.isArray(inner));
}

export function isPrivatePart(key: string): boolean {
  return privateParts.has(key);
}

/** Judges keys, and remembers those that it has seen. */
export function keyRules(find: FindSecrets, remember: (name: string) => Field | undefined): Keys {
  return remembering((key) => ruleOf(key, remember(key), find), most.keys, most.characters);
}

function ruleOf(key: string, field: Field | undefined, find: FindSecrets): Key {
  const decided = { surrounded: surrounded.has(key), privatePart: isPrivatePart(key) };
  return {
    field,
    holder: holders.has(key),
    ...decided,
    plain: field === undefined && !decided.surrounded && !decided.privatePart,
    drops: key === lastApplied || key === managedFields,
    clean: key.length < shortest || isClean(key, find),
  };
}

/** Of long keys, and those that may be JSON or several lines, each call asks for itself. */
function isClean(key: string, find: FindSecrets): boolean {
  if (key.length > most.characters || /[\n{[]/.test(key)) return false;
  return find(key, false, 0, newRoom()).spans.length === 0;
}
