// Personal data with checksums or fixed shapes: which of it is hidden is a profile's choice.

import { isIban, isSocialSecurity } from "./checksums.ts";
import type { Scan, Span } from "./spans.ts";

/** Kinds of personal data. Card numbers are hidden by every profile. */
export const personalKinds = ["card", "iban", "ssn", "email"] as const;
export type PersonalKind = (typeof personalKinds)[number];

/** An IBAN in one run or in groups of four (ISO 13616). */
const iban =
  /(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?:[A-Z0-9]{11,30}|(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,4})?)(?![A-Za-z0-9])/g;
const ssn = /(?<![\w.-])([0-9]{3})-([0-9]{2})-([0-9]{4})(?![\w-]|\.[0-9])/g;
/** The addresses that people use, not all of RFC 5322; every part is bounded. */
const email =
  /(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9-])/g;

/** Finds the kinds of personal data that are not found by probes: each is one bounded pass. */
export function personalIn(scan: Scan, kinds: ReadonlySet<PersonalKind>): readonly Span[] {
  const { text } = scan;
  const spans: Span[] = [];
  const add = (type: "iban" | "ssn" | "email", at: number, value: string): void => {
    spans.push({ start: at, end: at + value.length, type, value, why: type });
  };
  if (kinds.has("iban")) {
    scan.work += text.length;
    for (const found of text.matchAll(iban))
      if (isIban(found[0].replaceAll(" ", ""))) add("iban", found.index, found[0]);
  }
  if (kinds.has("ssn")) {
    scan.work += text.length;
    for (const found of text.matchAll(ssn)) {
      const [area = 0, group = 0, serial = 0] = found.slice(1, 4).map(Number);
      if (isSocialSecurity(area, group, serial)) add("ssn", found.index, found[0]);
    }
  }
  if (kinds.has("email") && text.includes("@")) {
    scan.work += text.length;
    for (const found of text.matchAll(email))
      if (!isAddressOfMachine(text, found.index)) add("email", found.index, found[0]);
  }
  return spans;
}

/** `git@host:path` and `user@host` of URLs are addresses of machines. */
function isAddressOfMachine(text: string, at: number): boolean {
  return /(?:\/\/[^\s/]*|^git|[\s"']git)$/.test(text.slice(Math.max(0, at - 80), at)) || text.startsWith("git@", at);
}
