// Masks a text that arrives in pieces: the same text gives the same output however it was cut, and memory holds one window of it.

import type { FindSecrets, Found } from "./text.ts";
import { newRoom, type Room, type Span, type Write } from "./spans.ts";

export interface StreamMasker {
  /** Takes the next piece and gives what can be told of so far, masked. A string may be parted anywhere but inside a character; bytes are UTF-8, parted anywhere (what is none becomes U+FFFD). */
  push(piece: string | Uint8Array): string;
  /** Gives the rest; nothing may be pushed after it. */
  end(): string;
}

/**
 * Masks a whole text as the stream does, letting others run between its windows: a large log must not stop the loop for as long as it takes.
 * `others` resolves once they had their turn.
 */
export async function maskLong(text: string, masker: StreamMasker, others: () => Promise<void>): Promise<string> {
  let out = "";
  for (let at = 0; at < text.length;) {
    const next = wholeCharacter(text, Math.min(text.length, at + window));
    out += masker.push(text.slice(at, next));
    at = next;
    await others();
  }
  return out + masker.end();
}

/**
 * Characters that are let go at a time, less where a line ends before. What stands around a window is scanned again with the next one: of a wide
 * window that is a quarter, and it still takes only a few milliseconds.
 */
export const window = 256 * 1024;
/** Characters that a scan sees on either side of what it lets go: the longest block that is hidden as one (masking.md), and a line of its own before it. */
const around = 33 * 1024;

/**
 * Masks by windows whose bounds follow from the text alone. Each is scanned together with what stands before and behind it, so that a
 * secret on a bound is found whole; a span that reaches past its window is let go with it.
 */
export function streamMasker(find: FindSecrets, write: Write, room: Room = newRoom()): StreamMasker {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  // `held` is context that was let go already, up to `done`, and then what was not.
  let held = "";
  let done = 0;

  function release(whole: boolean): string {
    let out = "";
    while (whole ? done < held.length : held.length - done >= window + around) {
      const cut = boundOf(held, done);
      const scanned = held.slice(0, Math.min(held.length, cut + around));
      const { text, end } = masked(scanned, done, Math.min(cut, scanned.length), find(scanned, false, 0, room), write);
      out += text;
      const from = wholeCharacter(held, Math.max(0, end - around));
      held = held.slice(from);
      done = end - from;
    }
    return out;
  }

  return {
    push(piece) {
      held += typeof piece === "string" ? piece : decoder.decode(piece, { stream: true });
      return release(false);
    },
    end() {
      held += decoder.decode();
      return release(true);
    },
  };
}

/** Past the last line end of the next window; a longer line is cut where the window ends. */
function boundOf(text: string, from: number): number {
  const most = Math.min(text.length, from + window);
  if (most === text.length) return most;
  const line = text.lastIndexOf("\n", most - 1);
  return line >= from ? line + 1 : wholeCharacter(text, most);
}

/** The same place, or the one before where it would part a surrogate pair. */
function wholeCharacter(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at - 1 : at;
}

/** The stretch from `from` to `to` with its spans written over, and where it ends: past `to` where a span does. */
function masked(text: string, from: number, to: number, found: Found, write: Write): { text: string; end: number } {
  let out = "";
  let at = from;
  const inside = (span: Span): boolean => span.end > from && span.start < to;
  for (const span of found.spans.filter(inside)) {
    out += text.slice(at, Math.max(at, span.start)) + write(span.type, span.value);
    at = span.end;
  }
  if (at < to) out += text.slice(at, to);
  return { text: out, end: Math.max(at, to) };
}
