// Signed notes and checkpoints: a note that the Go tools made, the round trip, and everything that must not pass.

import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { expect } from "vitest";
import {
  checkpointText,
  openCheckpoint,
  openNote,
  parseCheckpoint,
  parseSecret,
  parseVkey,
  signerFrom,
  signNote,
} from "../../../src/transcript/note.ts";
import { emptyRoot } from "../../../src/transcript/tree.ts";
import { promise } from "../../support/promise.ts";

/** The example of golang.org/x/mod/sumdb/note: its key is public on purpose. */
const secret = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const signature = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
const note = `${text}\n— PeterNeumann ${signature}\n`;

function verifierOf(line: string) {
  const verifier = parseVkey(line);
  if (verifier === null) throw new Error("not a verifier key");
  return verifier;
}

promise("transcript:note", "a note made by the Go tools is made and opened byte for byte", () => {
  const signer = parseSecret(secret);
  if (signer === null) throw new Error("not a key");
  expect([signer.vkey, signer.secret(), signNote(text, signer)]).toEqual([vkey, secret, note]);
  expect(openNote(note, verifierOf(vkey))).toBe(text);
});

promise("transcript:note", "any change to a note closes it", () => {
  const verifier = verifierOf(vkey);
  fc.assert(
    fc.property(fc.nat(note.length - 1), fc.nat(0x2ff), (at, code) => {
      const letter = String.fromCodePoint(code);
      fc.pre(note[at] !== letter);
      const changed = note.slice(0, at) + letter + note.slice(at + 1);
      expect(openNote(changed, verifier)).toBeNull();
    }),
  );
});

promise(
  "transcript:note",
  "signatures of others are let be; one by the known key that is wrong closes the note",
  () => {
    const verifier = verifierOf(vkey);
    const other = signerFrom("example.com/witness", randomBytes(32));
    const foreign = signNote(text, other).slice(text.length + 1);
    expect(openNote(note + foreign, verifier)).toBe(text);
    expect(openNote(note + foreign, other)).toBe(text);
    expect(openNote(signNote(text, other), verifier)).toBeNull();
    const forged = signNote(text, signerFrom("PeterNeumann", randomBytes(32))).slice(text.length + 1);
    expect(openNote(note + forged, verifier)).toBe(text);
    const wrong = Buffer.from(signature, "base64");
    wrong[20] = (wrong[20] ?? 0) ^ 1;
    expect(openNote(`${note}— PeterNeumann ${wrong.toString("base64")}\n`, verifier)).toBeNull();
    expect(openNote(note.replace("— P", "-- P"), verifier)).toBeNull();
    expect(openNote(note.trimEnd(), verifier)).toBeNull();
    expect(openNote(`${text}\n`, verifier)).toBeNull();
    expect(openNote(note.replace(signature, signature.replace("=", "")), verifier)).toBeNull();
  },
);

promise("transcript:note", "only whole keys are keys", () => {
  const wrong = [
    "",
    "PeterNeumann",
    vkey.replace("c74f20a3", "c74f20a4"),
    vkey.replace("PeterNeumann", "Peter Neumann"),
    vkey.slice(0, -4),
    vkey.replace("+ARpc", "+Agpc"),
    `${vkey}\n${vkey}`,
  ];
  for (const line of wrong) expect([line, parseVkey(line)]).toEqual([line, null]);
  for (const line of [vkey, secret.replace("c74f20a3", "c74f20a4"), secret.slice(0, -2)])
    expect([line, parseSecret(line)]).toEqual([line, null]);
  expect(() => signNote("no newline", signerFrom("a", randomBytes(32)))).toThrow(TypeError);
  expect(() => signNote("bell\u0007\n", signerFrom("a", randomBytes(32)))).toThrow(TypeError);
  expect(() => signerFrom("a+b", randomBytes(32))).toThrow(TypeError);
});

promise("transcript:note", "a checkpoint says its size and root, for its own log only", () => {
  const signer = signerFrom("example.com/log", randomBytes(32));
  const head = { size: 12, root: randomBytes(32) };
  const checkpoint = signNote(checkpointText(signer.name, head), signer);
  expect(openCheckpoint(checkpoint, signer)).toEqual(head);
  expect(openCheckpoint(signNote(checkpointText("example.com/other", head), signer), signer)).toBeNull();
  const root = emptyRoot.toString("base64");
  expect(parseCheckpoint(`o\n0\n${root}\n`, "o")).toEqual({ size: 0, root: emptyRoot });
  expect(parseCheckpoint(`o\n7\n${root}\nan extension\n`, "o")).toEqual({ size: 7, root: emptyRoot });
  for (const size of ["", "-1", "01", "1e3", " 1", "9007199254740993", "1.0"])
    expect(parseCheckpoint(`o\n${size}\n${root}\n`, "o")).toBeNull();
  for (const wrong of [`o\n1\n${root}`, `o\n1\nAAAA\n`, `o\n1\n${root}\n\n`, "", "o"])
    expect(parseCheckpoint(wrong, "o")).toBeNull();
});
