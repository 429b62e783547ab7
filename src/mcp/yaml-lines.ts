// A JSON value as YAML that neither misreads nor lets its strings speak: our own writer, since the library's document model cost a fifth of a read.

import type { Json } from "../domain/json.ts";
import { escapePoint, unseen } from "./layout.ts";

/**
 * A value as block YAML 1.2 that readers of YAML 1.1 take for the same, without newlines at the lines' ends. A string
 * stands bare only where it is one printable ASCII word that nobody reads as something else; every other one is a
 * double-quoted scalar on one line (YAML 1.2.2, sections 7.3.1 and 7.3.3), so that text from the cluster never begins
 * a line of its own.
 */
export function yamlLines(value: Json): readonly string[] {
  const lines: string[] = [];
  write(value, "", "", lines);
  return lines;
}

/** YAML allows an implicit key 1,024 characters (section 8.2.2). */
const longestKey = 1_000;

/** `first` is what the value's first line begins with, `indent` what its further lines do. */
function write(value: Json, first: string, indent: string, lines: string[]): void {
  if (typeof value !== "object" || value === null) {
    lines.push(first + scalar(value));
  } else if (Array.isArray(value)) {
    if (value.length === 0) lines.push(`${first}[]`);
    for (let at = 0; at < value.length; at++)
      write(value[at] as Json, `${at === 0 ? first : indent}- `, `${indent}  `, lines);
  } else {
    let start = first;
    for (const key of Object.keys(value)) {
      writeEntry(scalar(key), (value as { readonly [key: string]: Json })[key] ?? null, start, indent, lines);
      start = indent;
    }
    if (start === first && Object.keys(value).length === 0) lines.push(`${first}{}`);
  }
}

function writeEntry(key: string, value: Json, start: string, indent: string, lines: string[]): void {
  const explicit = key.length > longestKey;
  if (explicit) lines.push(`${start}? ${key}`);
  const name = explicit ? `${indent}:` : `${start}${key}:`;
  if (!isFilled(value)) return write(value, `${name} `, indent, lines);
  lines.push(name);
  // A list below a key needs no further indent.
  const inner = Array.isArray(value) ? indent : `${indent}  `;
  write(value, inner, inner, lines);
}

/** Does the value need lines of its own? */
function isFilled(value: Json): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Array.isArray(value) ? value.length > 0 : Object.keys(value).length > 0;
}

function scalar(value: string | number | boolean | null): string {
  if (typeof value === "string") return isBare(value) ? value : JSON.stringify(value).replace(unseen, escapePoint);
  return Object.is(value, -0) ? "-0" : JSON.stringify(value);
}

/** Begins like a word, a path, an option, a variable or a number; printable ASCII without spaces; no colon at the end. */
const word = /^(?:[A-Za-z0-9_/$(]|--?(?=[A-Za-z])|\.(?=[A-Za-z/]))(?:[!-~]*[!-9;-~])?$/;
/** Words that YAML 1.1 or 1.2 reads as null, a truth or no number (YAML 1.1 types: null, bool, float). */
const reserved = /^(?:null|true|false|yes|no|on|off|y|n|\.inf|\.nan)$/i;
/** All that an integer, a float or a time of either version is made of: decimal, octal, hexadecimal, base 60, RFC 3339; and a bare exponent. */
const typed = /^(?:[0-9][0-9a-fA-FxXoO_.:,+TtZz-]*|-?\.?[eE][+-]?[0-9]+)$/;
/** Addresses and versions are made of the same and are neither. */
const dotted = /^\d+(?:\.\d+){2,}$/;

function isBare(text: string): boolean {
  if (!word.test(text) || (text.length < 6 && reserved.test(text))) return false;
  return !typed.test(text) || dotted.test(text);
}
