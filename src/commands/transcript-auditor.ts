// `sallyport transcript auditor-key` and `open-for`: sealed bodies for one auditor's key, on record.

import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command, Option } from "commander";
import { bodyClasses, type BodyClass } from "../domain/entry.ts";
import { readKeys } from "../transcript/bodies.ts";
import { canonical } from "../transcript/canonical.ts";
import { makeAuditorKey, recipientWrapping, type WrappedKey } from "../transcript/seal.ts";
import { ownWrapping } from "../wiring/state.ts";
import { CommandFailed, stateFolder, type Io } from "./io.ts";
import { onRecord } from "./on-record.ts";
import { reading } from "./transcript-text.ts";

interface Flags {
  readonly recipient: string;
  readonly out: string;
  readonly session?: string;
  readonly class?: readonly BodyClass[];
  readonly why: string;
}

const keyHelp = `
The auditor runs this where nobody else reads, keeps the file, and hands out the line that is printed.
`;

const openHelp = `
Writes the keys of bodies anew, wrapped for the auditor's key alone. The auditor puts the file in the place of
bodies/keys.ndjson in a copy of the transcript folder, and checks with --bodies-key and the secret. Nothing is decrypted
here but the keys, and an entry says who may read what from now on before the file is written.

Example:
  $ sallyport transcript open-for --recipient sallyport-auditor:… --session ses_0199… --why "audit of March" --out ./keys.ndjson
`;

/** Both commands, which write files or entries. */
export function auditorCommands(io: Io): readonly Command[] {
  const command = (name: string): Command =>
    new Command(name).exitOverride().configureOutput({ writeOut: io.out, writeErr: io.err });
  return [
    command("auditor-key")
      .description("make a key for an auditor: the secret into a file, the line to hand out printed")
      .argument("<file>", "where the secret goes; it must not be there yet")
      .addHelpText("after", keyHelp)
      .action((file: string) => reading(() => makeKey(io, file))),
    command("open-for")
      .description("let one auditor's key open sealed bodies")
      .requiredOption("--recipient <line>", "what auditor-key printed")
      .requiredOption("--out <file>", "where the keys go")
      .requiredOption("--why <text>", "why, for the record")
      .option("--session <id>", "bodies of this session alone")
      .addOption(new Option("--class <classes...>", "bodies of these classes alone").choices([...bodyClasses]))
      .addHelpText("after", openHelp)
      .action((flags: Flags) => reading(() => openFor(io, flags))),
  ];
}

async function makeKey(io: Io, path: string): Promise<void> {
  const { secret, recipient } = makeAuditorKey();
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(`${secret}\n`);
  } finally {
    await file.close();
  }
  io.out(`${recipient}\n`);
}

async function openFor(
  io: Io,
  { recipient, out, session = "", class: classes = bodyClasses, why }: Flags,
): Promise<void> {
  const folder = stateFolder(io.env);
  const theirs = recipientWrapping(recipient, io.random);
  if (theirs === null) throw new CommandFailed("--recipient is no line that auditor-key prints.", 2);
  const meant = (await readKeys(join(folder, "transcript", "bodies"))).filter(
    (key) => classes.includes(key.class) && (session === "" || key.sid === session),
  );
  if (meant.length === 0) throw new CommandFailed("Nothing is sealed under such keys: there is nothing to hand out.");
  const own = await ownWrapping(folder, io.random);
  const query = [session === "" ? "every session" : `session ${session}`, `classes ${classes.join(", ")}`].join("; ");
  const entry = { what: "keys of bodies", to: theirs.id, query, count: meant.length, why };
  const refused = await onRecord(io)("evidence.exported", entry);
  if (refused !== "") throw new CommandFailed(`Nothing was handed out, for no entry could tell of it: ${refused}`);
  const lines: WrappedKey[] = [];
  for (const key of meant) {
    const opened = await own.unwrap(key);
    if (opened === null) throw new CommandFailed(`keys/bodies.key does not open key ${key.key}.`);
    lines.push(await theirs.wrap(opened, { key: key.key, sid: key.sid, class: key.class, since: key.since }));
  }
  await writeFile(out, lines.map((line) => `${canonical(line)}\n`).join(""), { mode: 0o600 });
  io.out(`${lines.length} keys for ${theirs.id}: ${out}\n`);
}
