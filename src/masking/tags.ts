// The tag of a value under one key: the same for the same value, and nothing that says which value it is without the key.

import { hash } from "node:crypto";

/** Characters of the tag. 32 bits: enough to tell the values of one session apart, too few to try guesses offline without the key. */
export const tagLength = 8;
/** SHA-256's block, and its digest (FIPS 180-4, section 1). */
const block = 64;
const digest = 32;
/** Most values are shorter: they are hashed in scratch memory. */
const short = 256;

export type Tag = (value: string) => string;

/**
 * Makes tags under a key of at most 64 bytes: the first characters of HMAC-SHA-256 (RFC 2104, section 2) of a value's UTF-8. The padded
 * keys are made once and both digests are taken in one call each: a `Hmac` object costs several times what it computes, and an answer
 * may hold thousands of values.
 */
export function tagger(key: Uint8Array): Tag {
  if (key.length > block) throw new RangeError(`a key of tags has at most ${block} bytes`);
  const inner = Buffer.alloc(block + 3 * short, 0);
  const outer = Buffer.alloc(block + digest, 0);
  inner.set(key);
  outer.set(key);
  for (let at = 0; at < block; at++) {
    inner[at] = (inner[at] ?? 0) ^ 0x36;
    outer[at] = (outer[at] ?? 0) ^ 0x5c;
  }
  // Of each length one view: to make one costs a good part of what it is made for.
  const views: (Buffer | undefined)[] = [];
  function innerDigest(value: string): string {
    if (value.length > short)
      return hash("sha256", Buffer.concat([inner.subarray(0, block), Buffer.from(value)]), "binary");
    const end = block + (put(value, inner) ? value.length : inner.write(value, block, "utf8"));
    const found = hash("sha256", (views[end] ??= inner.subarray(0, end)), "binary");
    for (let at = block; at < end; at++) inner[at] = 0;
    return found;
  }
  return (value) => {
    const digest = innerDigest(value);
    for (let at = 0; at < digest.length; at++) outer[block + at] = digest.charCodeAt(at);
    return hash("sha256", outer, "hex").slice(0, tagLength);
  };
}

/** Puts an ASCII text behind the key, byte by byte: a call out of JavaScript costs more. False where it is none. */
function put(text: string, into: Uint8Array): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) return false;
    into[block + at] = code;
  }
  return true;
}
