// Checkpoints that bear a time: the log's own cosignature over size, root and clock (c2sp.org/tlog-cosignature, Ed25519).

import { hash, verify } from "node:crypto";
import { openCheckpoint, type Signer, type Verifier } from "./note.ts";
import type { Head } from "./tree.ts";

/** The signature type of a cosignature: it has its own key id, so that it is never taken for the checkpoint's own. */
const timestamped = 0x04;
const timeBytes = 8;

/** What a cosigned checkpoint says. */
export interface Cosigned {
  readonly head: Head;
  /** By the clock of whoever signed, in milliseconds since 1970 and whole seconds; null for a checkpoint without a time. */
  readonly at: number | null;
}

/** The signed note with one more line: that this was the newest head at that time (milliseconds since 1970; whole seconds are kept). */
export function cosign(note: string, signer: Signer, at: number): string {
  const seconds = Math.floor(at / 1000);
  const time = Buffer.alloc(timeBytes);
  time.writeBigUInt64BE(BigInt(seconds));
  const signature = Buffer.concat([idOf(signer), time, signer.sign(message(seconds, textOf(note)))]);
  return `${note}— ${signer.name} ${signature.toString("base64")}\n`;
}

/** What this key signed of a note, the time with it; null where either signature is not what it should be. */
export function openCosigned(note: string, verifier: Verifier): Cosigned | null {
  const head = openCheckpoint(note, verifier);
  if (head === null) return null;
  let at: number | null = null;
  const id = idOf(verifier);
  for (const line of note.slice(textOf(note).length + 1).split("\n")) {
    const [, name, body = ""] = /^— ([^\s+]+) (\S+)$/.exec(line) ?? [];
    const bytes = Buffer.from(body, "base64");
    if (name !== verifier.name || !bytes.subarray(0, id.length).equals(id)) continue;
    const time = bytes.subarray(id.length, id.length + timeBytes);
    if (time.length < timeBytes || time.readBigUInt64BE() > largestTime) return null;
    const seconds = Number(time.readBigUInt64BE());
    const signature = bytes.subarray(id.length + timeBytes);
    if (!verify(null, Buffer.from(message(seconds, textOf(note))), verifier.key, signature)) return null;
    at = seconds * 1000;
  }
  return { head, at };
}

/** Seconds that a Date can still hold. */
const largestTime = 8_640_000_000_000n;

/** The text that was signed: up to the blank line before the signatures. */
function textOf(note: string): string {
  return note.slice(0, note.lastIndexOf("\n\n") + 1);
}

function message(seconds: number, text: string): string {
  return `cosignature/v1\ntime ${seconds}\n${text}`;
}

/** The first four bytes of SHA-256(name ‖ 0x0A ‖ 0x04 ‖ key). */
function idOf({ name, vkey }: Verifier): Buffer {
  const key = Buffer.from(vkey.slice(vkey.indexOf("+", name.length + 1) + 1), "base64").subarray(1);
  const named = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(timestamped), key]);
  return Buffer.from(hash("sha256", named, "hex").slice(0, 8), "hex");
}
