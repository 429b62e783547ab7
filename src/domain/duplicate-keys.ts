// Finds a key that one JSON object holds twice: parsers disagree on which of the two counts, so what is checked and what runs could differ.

export type KeyFinding =
  | { readonly kind: "unique" }
  /** `depth` 1 is the message's own object. */
  | { readonly kind: "duplicate"; readonly key: string; readonly depth: number }
  | { readonly kind: "deep" };

const quote = 0x22;
const backslash = 0x5c;

/**
 * Looks through a JSON text that `JSON.parse` accepts, in one pass without recursion.
 * Keys are compared as they read, so `"a"` and `"\u0061"` are the same key. Nesting beyond `maxDepth` answers `deep`.
 */
export function findDuplicateKey(text: string, maxDepth: number): KeyFinding {
  const open: (Set<string> | null)[] = [];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      const end = endOfString(text, at);
      const keys = open.at(-1);
      if (keys && isKey(text, end + 1)) {
        const key = plainKey(text.slice(at, end + 1));
        if (keys.has(key)) return { kind: "duplicate", key, depth: open.length };
        keys.add(key);
      }
      at = end;
    } else if (code === 0x7b || code === 0x5b) {
      if (open.length === maxDepth) return { kind: "deep" };
      open.push(code === 0x7b ? new Set() : null);
    } else if (code === 0x7d || code === 0x5d) {
      open.pop();
    }
  }
  return { kind: "unique" };
}

/** The index of the quote that closes the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === backslash) at++;
    else if (code === quote) return at;
  }
  return text.length;
}

/** In valid JSON, a string inside an object is a key exactly where a colon follows it. */
function isKey(text: string, from: number): boolean {
  let at = from;
  while (" \t\r\n".includes(text.charAt(at)) && at < text.length) at++;
  return text.charAt(at) === ":";
}

function plainKey(literal: string): string {
  return literal.includes("\\") ? String(JSON.parse(literal)) : literal.slice(1, -1);
}
