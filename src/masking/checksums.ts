// Checksums that some secrets and numbers carry, so that look-alikes can be told apart.

import { crc32 } from "node:zlib";

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/**
 * The six characters that end a GitHub or npm token: the CRC-32 of the characters between prefix and checksum, in
 * base 62 with leading zeros (github.blog, "Behind GitHub's new authentication token formats").
 */
export function crcTail(body: string): string {
  let rest = crc32(body);
  let tail = "";
  for (let place = 0; place < 6; place++) {
    tail = (base62[rest % 62] ?? "") + tail;
    rest = Math.floor(rest / 62);
  }
  return tail;
}

/** Does `prefix_` + 30 characters + 6 of checksum agree with itself? */
export function hasCrcTail(token: string): boolean {
  const body = token.slice(token.indexOf("_") + 1);
  return body.length === 36 && crcTail(body.slice(0, 30)) === body.slice(30);
}

/** Luhn's check of a number's digits (ISO/IEC 7812-1, annex B). */
export function luhn(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 0x30;
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** Issuer ranges by leading digits and total length (ISO/IEC 7812; the networks' published ranges). */
const issuers: readonly { readonly from: number; readonly to: number; readonly lengths: readonly number[] }[] = [
  { from: 4000, to: 4999, lengths: [13, 16] },
  { from: 5100, to: 5599, lengths: [16] },
  { from: 2221, to: 2720, lengths: [16] },
  { from: 3400, to: 3499, lengths: [15] },
  { from: 3700, to: 3799, lengths: [15] },
  { from: 6011, to: 6011, lengths: [16] },
  { from: 6440, to: 6599, lengths: [16] },
  { from: 3528, to: 3589, lengths: [16] },
  { from: 3000, to: 3059, lengths: [14] },
  { from: 3600, to: 3699, lengths: [14] },
  { from: 3800, to: 3999, lengths: [14] },
  { from: 6200, to: 6299, lengths: [16, 17, 18, 19] },
];

/** Is it a payment card's number: a known issuer, that issuer's length, Luhn's check? */
export function isCard(digits: string): boolean {
  const head = Number.parseInt(digits.slice(0, 4), 10);
  const known = issuers.some(({ from, to, lengths }) => head >= from && head <= to && lengths.includes(digits.length));
  return known && luhn(digits) && new Set(digits).size > 1;
}

/** ISO 13616: the check digits of an IBAN, modulo 97. Letters count from A = 10. */
export function isIban(text: string): boolean {
  if (!/^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$/.test(text)) return false;
  let rest = 0;
  for (const character of text.slice(4) + text.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    rest = (value > 9 ? rest * 100 + value : rest * 10 + value) % 97;
  }
  return rest === 1;
}

/** A United States social security number that can have been issued (ssa.gov, "Social Security Number Randomization"). */
export function isSocialSecurity(area: number, group: number, serial: number): boolean {
  return area > 0 && area < 900 && area !== 666 && group > 0 && serial > 0;
}
