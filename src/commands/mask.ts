// `sallyport mask < file`: shows what would be masked in a text, and why, so that people can try their own logs.

import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { addAbortSignal, type Readable } from "node:stream";
import type { SessionId } from "../domain/ids.ts";
import { isJsonObject, type JsonObject } from "../domain/json.ts";
import { loadProfile } from "../masking/load.ts";
import { openEngine, openMasking } from "../masking/mask.ts";
import { defaultProfile, type Profile } from "../masking/profile.ts";
import { newRoom } from "../masking/spans.ts";
import { CommandFailed, type Io } from "./io.ts";

type Outside = Pick<Io, "input" | "out" | "err" | "random" | "signal">;

interface Flags {
  readonly object?: boolean;
  readonly why?: boolean;
  readonly profile?: string;
}

/** Most that is read. */
const mostBytes = 16 * 1024 * 1024;

/** The command. Tags are made with a key of this run alone. Throws `CommandFailed`: 2 where the input or the profile can't be used. */
export function maskCommand(io: Outside): Command {
  return new Command("mask")
    .description("show what would be masked in a text on standard input")
    .option("--object", "the input is JSON: mask it as a Kubernetes object, by structure")
    .option("--why", "list what was found instead: line, type and the check that found it, never the value")
    .option("--profile <path>", "a masking profile (default: the built-in one)")
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .exitOverride()
    .action(async (flags: Flags) => {
      const profile = flags.profile === undefined ? defaultProfile : await profileAt(flags.profile);
      const text = await readAll(addAbortSignal(io.signal, io.input));
      const object = flags.object === true ? parsed(text) : null;
      if (flags.why) return listed(io, profile, text);
      const session = { id: "ses_mask" as SessionId, door: "stdio" } as const;
      const masker = openMasking({ key: io.random(32), profile }).forCall(session, {});
      io.out(object === null ? masker.text(text) : `${JSON.stringify(masker.object(object), null, 2)}\n`);
      const counts = masker.masked().map(({ type, count }) => `${count} ${type}`);
      io.err(counts.length === 0 ? "Nothing was masked.\n" : `Masked: ${counts.join(", ")}.\n`);
    });
}

/** One line a finding, without a word of the value. */
function listed(io: Outside, profile: Profile, text: string): void {
  const { spans } = openEngine(profile).find(text, false, 0, newRoom());
  let line = 1;
  let from = 0;
  for (const span of spans) {
    for (let at = text.indexOf("\n", from); at !== -1 && at < span.start; at = text.indexOf("\n", at + 1)) {
      line++;
      from = at + 1;
    }
    io.out(`line ${line}: ${span.type} (${span.why})\n`);
  }
  if (spans.length === 0) io.err("Nothing would be masked.\n");
}

async function profileAt(path: string): Promise<Profile> {
  const text = await readFile(path, "utf8").catch((): string => {
    throw new CommandFailed(`The profile ${path} can't be read.`, 2);
  });
  const result = loadProfile(text);
  if (result.kind === "refused") throw new CommandFailed(`${path}: ${result.problems.join(" ")}`, 2);
  return result.profile;
}

async function readAll(input: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk as Uint8Array);
    size += bytes.length;
    if (size > mostBytes) throw new CommandFailed(`The input is larger than ${mostBytes} bytes.`, 2);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parsed(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    if (isJsonObject(value)) return value;
  } catch {
    throw new CommandFailed("The input is not valid JSON.", 2);
  }
  throw new CommandFailed("The input is not a JSON object.", 2);
}
