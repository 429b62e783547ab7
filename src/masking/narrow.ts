// Texts as bytes in scratch memory, which the passes over every character read faster than a string.

import { isWide } from "./invisible.ts";
import type { Narrow } from "./keywords.ts";

/** Larger texts get memory of their own, which is not kept. */
const mostKept = 4 * 1024 * 1024;
/** Up to here a loop is quicker than a call out of JavaScript. */
const short = 16;
/** What stands for a character beyond Latin-1. */
const beyond = 0xff;

/**
 * Makes byte views of texts in memory that grows with the longest text so far: one for each depth, since a text is still being probed
 * while what is encoded in it is scanned one depth further. A view holds until the next one of its depth.
 */
export function narrower(): (text: string, depth: number) => Narrow {
  const kept: Memory[] = [];
  return (text, depth) => {
    let memory = kept[depth];
    if (memory === undefined || memory.bytes.length < text.length) {
      memory = newMemory(text.length);
      if (text.length <= mostKept) kept[depth] = memory;
    }
    const { bytes, pairs } = memory;
    return { bytes, pairs, length: text.length, wide: filled(bytes, text) };
  };
}

interface Memory {
  readonly bytes: Buffer;
  readonly pairs: Uint16Array;
}

/** At least so many bytes, and their number a power of two. */
function newMemory(length: number): Memory {
  const buffer = new ArrayBuffer(Math.max(4096, 1 << Math.ceil(Math.log2(length + 1))));
  return { bytes: Buffer.from(buffer), pairs: new Uint16Array(buffer) };
}

/** Writes the text's characters as bytes; returns whether one did not fit. */
function filled(bytes: Buffer, text: string): boolean {
  if (text.length > short && !isWide(text)) {
    bytes.write(text, 0, "latin1");
    return false;
  }
  let wide = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    bytes[at] = code < 0x100 ? code : beyond;
    if (code >= 0x100) wide = true;
  }
  return wide;
}
