// `sallyport transcript prove`, `check-proof` and `rotate-key`: one entry's proof as a file, and the key that signs for all of them.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { takeLock } from "../owner/lock.ts";
import { describeEntry, plainText } from "../transcript/describe.ts";
import { stateTranscript } from "../transcript/files.ts";
import { isMalformed, readEntry } from "../transcript/entry.ts";
import { parseVkey } from "../transcript/note.ts";
import { parseProof, proofText, proveEntries, provesLine } from "../transcript/proof.ts";
import { findEntries, type Kept } from "../transcript/read.ts";
import { rotateKey } from "../transcript/rotate.ts";
import { operatorOf } from "./agent-identities.ts";
import { CommandFailed, stateFolder, type Io } from "./io.ts";
import { recorded, type OnRecord } from "./on-record.ts";
import { readSetting } from "./setting.ts";
import { reading } from "./transcript-text.ts";

type Reading = Pick<Io, "env" | "out">;

const proveHelp = `
Prints an inclusion proof (c2sp.org/tlog-proof@v1): the entry itself, its way to the root, and the newest signed head.
Whoever holds the verifier key (transcript/log.vkey) checks it offline, with this program or any other that knows the form.
An entry is under a signed head within a second of its writing.

Examples:
  $ sallyport transcript prove call_0199… > settled.tlog-proof    the entry that ended the call
  $ sallyport transcript prove call_0199… --out ./proofs          all of its entries, a file each
  $ sallyport transcript prove 17
  $ sallyport transcript check-proof settled.tlog-proof --key ./log.vkey
`;

export function proveCommand(io: Reading & Pick<Io, "err">, onRecord: OnRecord): Command {
  return new Command("prove")
    .description("print the proof that an entry is in the record")
    .argument("<id>", "a call's id, an approval's, or the number of an entry")
    .option("--out <folder>", "write a file for each entry of it instead")
    .addHelpText("after", proveHelp)
    .action((id: string, flags: { out?: string }) => reading(() => prove(io, onRecord, id, flags.out)));
}

async function prove(
  io: Reading & Pick<Io, "err">,
  onRecord: OnRecord,
  id: string,
  out: string | undefined,
): Promise<void> {
  const folder = stateFolder(io.env);
  const about = await findEntries(folder, id);
  const one = /^\d+$/.test(id) ? about.find(({ index }) => index === Number(id)) : lastOf(about);
  if (one === undefined) throw new CommandFailed(`There is no entry about ${plainText(id)}.`);
  const proofs = await proveEntries(folder, out === undefined ? [one.index] : about.map(({ index }) => index));
  const to = out ?? "standard output";
  const told = { what: "proofs", to, query: plainText(id), count: proofs.length, why: "" };
  await recorded(io, onRecord("evidence.exported", told));
  if (out === undefined) return proofs.forEach((proof) => io.out(proofText(proof)));
  await mkdir(out, { recursive: true });
  for (const proof of proofs) {
    const path = join(out, `${proof.index}.tlog-proof`);
    await writeFile(path, proofText(proof));
    io.out(`${path}\n`);
  }
}

/** The entry that ended it, else its last one. */
function lastOf(about: readonly Kept[]): Kept | undefined {
  return about.findLast(({ entry }) => entry.kind === "call.settled" || entry.kind === "call.unknown") ?? about.at(-1);
}

export function checkProofCommand(io: Reading): Command {
  return new Command("check-proof")
    .description("check a proof offline; exit code 3 when it proves nothing")
    .argument("<file>", "what prove printed")
    .option("--key <file>", "the verifier key that you hold (default: the state folder's)")
    .option("--entry <file>", "the entry's line, where the proof does not carry it")
    .action((file: string, flags: { key?: string; entry?: string }) => reading(() => checkProof(io, file, flags)));
}

async function checkProof(io: Reading, file: string, { key, entry }: { key?: string; entry?: string }): Promise<void> {
  const proof = parseProof(await readFile(file, "utf8"));
  if (proof === null) throw new CommandFailed(`${file} is no proof (c2sp.org/tlog-proof@v1).`, 2);
  const held = key ?? join(stateFolder(io.env), "transcript", "log.vkey");
  const verifier = parseVkey(await readFile(held, "utf8"));
  if (verifier === null) throw new CommandFailed(`${held} is no verifier key.`, 2);
  const line = entry === undefined ? proof.extra : trimmed(await readFile(entry));
  if (line === null) throw new CommandFailed("The proof carries no entry: name its file with --entry.", 2);
  if (!provesLine(proof, line, verifier))
    throw new CommandFailed(`This does not prove that the entry is in the record of ${verifier.name}.`, 3);
  const read = readEntry(Buffer.from(line).toString("utf8"));
  if (isMalformed(read)) throw new CommandFailed(`What is proved is no entry: it ${read.problem}.`, 3);
  const { when, kind, who, says } = describeEntry({ index: proof.index, entry: read });
  io.out(
    `Proved: entry ${proof.index} of ${verifier.name}+${verifier.hash}\n  ${when}  ${kind}  ${says}${who === "" ? "" : `  (${who})`}\n`,
  );
}

function trimmed(bytes: Buffer): Buffer {
  return bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes;
}

const rotateHelp = `
Stop the gateway first. The old key signs the entry that names the new one, and nothing after it; verification follows
from whichever key an auditor holds. Give auditors the new transcript/log.vkey, and keep the old one's copies.
`;

export function rotateKeyCommand(io: Io): Command {
  return new Command("rotate-key")
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .description("make another key that signs the record's checkpoints")
    .addHelpText("after", rotateHelp)
    .action(() => reading(() => rotate(io)));
}

async function rotate(io: Io): Promise<void> {
  // Only a gateway could look at a token, and none runs here.
  if ((io.env["SALLYPORT_TOKEN_FILE"] ?? "") !== "")
    throw new CommandFailed("The key is the state folder's owner's alone to change: unset SALLYPORT_TOKEN_FILE.");
  const { folder, digest, policy } = await readSetting(io, undefined);
  await stateTranscript(folder);
  const taken = await takeLock(folder, io.uid);
  if (taken.kind === "refused") throw new CommandFailed(taken.sentence);
  if (taken.kind === "busy") throw new CommandFailed(`A Sallyport runs on ${folder}: stop it first.`);
  try {
    const { now, random, version } = io;
    const gateway = { version, config: digest, policy: policy.digest };
    const say = (sentence: string): void => io.err(`${sentence}\n`);
    const disk = io.disk === undefined ? {} : { disk: io.disk };
    const { from, to } = await rotateKey({ folder, gateway, now, random, say, ...disk }, operatorOf(io.user));
    io.out(
      `Old key  ${from}\nNew key  ${to}\nGive the new one to whoever verifies: ${join(folder, "transcript", "log.vkey")}\n`,
    );
  } finally {
    taken.lock.release();
  }
}
