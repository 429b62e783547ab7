// C2SP signed notes and checkpoints (c2sp.org/signed-note, c2sp.org/tlog-checkpoint) with Ed25519 keys.

import { createPrivateKey, createPublicKey, hash, sign, verify, type KeyObject } from "node:crypto";
import type { Head } from "./tree.ts";

/** The signature type of Ed25519 in signed notes. */
const ed25519 = 0x01;
/** PKCS #8 and SPKI wrap a bare Ed25519 key in these fixed bytes (RFC 8410, section 7). */
const pkcs8 = Buffer.from("302e020100300506032b657004220420", "hex");
const spki = Buffer.from("302a300506032b6570032100", "hex");

export interface Verifier {
  readonly name: string;
  /** The first four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key), hex. */
  readonly hash: string;
  readonly vkey: string;
  readonly key: KeyObject;
}

export interface Signer extends Verifier {
  /** The private key as text, `PRIVATE+KEY+name+hash+base64`: for its file alone. */
  readonly secret: () => string;
  readonly sign: (text: string) => Buffer;
}

/** A signer from a key name and a seed of 32 random bytes (RFC 8032, section 5.1.5). */
export function signerFrom(name: string, seed: Uint8Array): Signer {
  if (!isKeyName(name) || seed.length !== 32) throw new TypeError("not a key name and a seed of 32 bytes");
  const secret = createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: "der", type: "pkcs8" });
  const raw = createPublicKey(secret).export({ format: "der", type: "spki" }).subarray(spki.length);
  const verifier = verifierFrom(name, raw);
  const kept = Buffer.concat([Buffer.of(ed25519), seed]).toString("base64");
  return {
    ...verifier,
    secret: () => `PRIVATE+KEY+${name}+${verifier.hash}+${kept}`,
    sign: (text) => sign(null, Buffer.from(text), secret),
  };
}

/** The signer that a key file's text stands for, or null when the text is not one. */
export function parseSecret(text: string): Signer | null {
  const [, name = "", id = "", body = ""] = /^PRIVATE\+KEY\+([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim()) ?? [];
  const bytes = strictBase64(body);
  if (bytes?.length !== 33 || bytes[0] !== ed25519 || !isKeyName(name)) return null;
  const signer = signerFrom(name, bytes.subarray(1));
  return signer.hash === id ? signer : null;
}

/** The verifier that a `name+hash+base64` line stands for, or null when it is not one. */
export function parseVkey(text: string): Verifier | null {
  const [, name = "", id = "", body = ""] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim()) ?? [];
  const bytes = strictBase64(body);
  if (bytes?.length !== 33 || bytes[0] !== ed25519 || !isKeyName(name)) return null;
  const verifier = verifierFrom(name, bytes.subarray(1));
  return verifier.hash === id ? verifier : null;
}

function verifierFrom(name: string, raw: Uint8Array): Verifier {
  const typed = Buffer.concat([Buffer.of(ed25519), raw]);
  const id = hash("sha256", Buffer.concat([Buffer.from(`${name}\n`), typed]), "hex").slice(0, 8);
  const key = createPublicKey({ key: Buffer.concat([spki, raw]), format: "der", type: "spki" });
  return { name, hash: id, vkey: `${name}+${id}+${typed.toString("base64")}`, key };
}

/** The text with its signature: text, blank line, `— name base64(key id ‖ signature)`. The text ends in a newline. */
export function signNote(text: string, signer: Signer): string {
  if (!text.endsWith("\n") || !isNoteText(text)) throw new TypeError("not the text of a note");
  const signature = Buffer.concat([Buffer.from(signer.hash, "hex"), signer.sign(text)]).toString("base64");
  return `${text}\n— ${signer.name} ${signature}\n`;
}

/** The text of a note that this key signed; null when the note is malformed, not signed by it, or its signature is wrong. */
export function openNote(note: string, verifier: Verifier): string | null {
  // A note has at most 100 signatures here, and the text ends at its last empty line.
  const end = note.lastIndexOf("\n\n");
  if (end < 0 || !note.endsWith("\n") || !isNoteText(note)) return null;
  const text = note.slice(0, end + 1);
  const lines = note.slice(end + 2, -1).split("\n");
  if (lines.length > 100) return null;
  let known = false;
  for (const line of lines) {
    const [, name = "", body = ""] = /^— ([^\s+]+) (\S+)$/.exec(line) ?? [];
    const bytes = strictBase64(body);
    if (name === "" || bytes === null || bytes.length < 5) return null;
    if (name !== verifier.name || bytes.subarray(0, 4).toString("hex") !== verifier.hash) continue;
    if (!verify(null, Buffer.from(text), verifier.key, bytes.subarray(4))) return null;
    known = true;
  }
  return known ? text : null;
}

/** A checkpoint's text: origin, size and base64 root, a line each. */
export function checkpointText(origin: string, head: Head): string {
  return `${origin}\n${head.size}\n${Buffer.from(head.root).toString("base64")}\n`;
}

/** The head that a checkpoint's text gives for this origin, or null when it is not one. Extension lines are let be. */
export function parseCheckpoint(text: string, origin: string): Head | null {
  const [first, size = "", root = "", ...rest] = text.split("\n");
  const bytes = strictBase64(root);
  if (first !== origin || !/^(0|[1-9][0-9]{0,15})$/.test(size) || bytes?.length !== 32) return null;
  if (rest.pop() !== "" || rest.includes("") || !Number.isSafeInteger(Number(size))) return null;
  return { size: Number(size), root: bytes };
}

/** The head of a checkpoint that this key signed for its own origin, or null. */
export function openCheckpoint(note: string, verifier: Verifier): Head | null {
  const text = openNote(note, verifier);
  return text === null ? null : parseCheckpoint(text, verifier.name);
}

function isKeyName(name: string): boolean {
  return name !== "" && name.isWellFormed() && !/[\s+\p{Z}\p{Cc}]/u.test(name);
}

function isNoteText(text: string): boolean {
  return text.isWellFormed() && !/[\u0000-\u0009\u000b-\u001f]/.test(text);
}

/** Standard base64 with its padding, and only in its one true spelling: two texts must not be one signature. */
function strictBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, "base64");
  return bytes.length > 0 && bytes.toString("base64") === text ? bytes : null;
}
