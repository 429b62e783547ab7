// What encoded bytes hold: text after gzip, zlib or UTF-16, or a key's binary form, judged like any other text.

import { gunzipSync, inflateSync, constants } from "node:zlib";
import { isCanonicalBase64, type Hidden } from "./base64.ts";

/** Most bytes that one compressed value may become. Beyond, it counts as unscanned and is hidden. */
const mostInflated = 4 * 1024 * 1024;

export type Content =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "hidden"; readonly hidden: Hidden }
  | { readonly kind: "dull" };

const dull: Content = { kind: "dull" };

/** Turns bytes into the text that they stand for. */
export function contentOf(bytes: Uint8Array): Content {
  const key = binaryKey(bytes);
  if (key !== undefined) return { kind: "hidden", hidden: { type: key, value: undefined } };
  const [first = 0, second = 0] = bytes;
  if (first === 0x1f && second === 0x8b) return inflated(() => gunzipSync(bytes, inflation));
  if (first === 0x78 && (second === 0x01 || second === 0x9c || second === 0xda)) {
    const content = inflated(() => inflateSync(bytes, inflation));
    if (content.kind !== "dull") return content;
  }
  return textOf(bytes);
}

/** A cut-off stream still gives what it holds. */
const inflation = { maxOutputLength: mostInflated, finishFlush: constants.Z_SYNC_FLUSH };

function inflated(inflate: () => Uint8Array): Content {
  try {
    return textOf(inflate());
  } catch (error) {
    if (error instanceof RangeError) return { kind: "hidden", hidden: { type: "unscanned", value: undefined } };
    return dull;
  }
}

/** UTF-8 or UTF-16LE that is mostly printable. */
function textOf(bytes: Uint8Array): Content {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [first = 0, second = 0, , fourth = 1] = bytes;
  if (first !== 0 && second === 0 && fourth === 0) return { kind: "text", text: buffer.toString("utf16le") };
  const text = buffer.toString("utf8");
  let odd = 0;
  const head = Math.min(text.length, 2048);
  for (let at = 0; at < head; at++) {
    const code = text.charCodeAt(at);
    if (code === 0xfffd || (code < 0x20 && code !== 9 && code !== 10 && code !== 13)) odd++;
  }
  return odd * 10 > head ? dull : { kind: "text", text };
}

/** Private keys and keystores by their first bytes: PKCS #8, PKCS #1, SEC 1 (RFC 5958, 8017, 5915), PKCS #12 (RFC 7292), Java's JKS. */
function binaryKey(bytes: Uint8Array): "private_key" | "keystore" | undefined {
  const head = Buffer.from(bytes.subarray(0, 16)).toString("hex");
  if (head.startsWith("feedfeed") || head.startsWith("cececece")) return "keystore";
  const inner = /^30(?:8[0-4](?:[0-9a-f]{2}){1,4}?|[0-7][0-9a-f])(0201.*)$/.exec(head)?.[1];
  if (inner === undefined) return undefined;
  if (inner.startsWith("02010330")) return "keystore";
  return /^0201(?:00(?:30|0282|0281)|0104(?:20|30|42))/.test(inner) ? "private_key" : undefined;
}

/** A Secret's `data` value as the secret that it encodes, so that its tag agrees with the plain value's elsewhere. */
export function encodedSecret(value: string): string {
  if (!isCanonicalBase64(value)) return value;
  const plain = Buffer.from(value, "base64").toString("utf8");
  return plain.includes("\ufffd") ? value : plain;
}
