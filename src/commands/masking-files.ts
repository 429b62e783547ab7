// The masking profiles that a gateway has: those that ship and the configuration's own, each named after its file.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, isAbsolute, join } from "node:path";
import type { Config } from "../config/schema.ts";
import { loadProfile } from "../masking/load.ts";
import type { Profile } from "../masking/profile.ts";
import { CommandFailed, type Io } from "./io.ts";

const shippedNames: readonly string[] = ["default", "strict"];

export interface MaskingProfiles {
  /** In force for every answer. */
  readonly profile: Profile;
  /** Those that rules may ask for besides, by name. */
  readonly profiles: ReadonlyMap<string, Profile>;
  /** SHA-256 over all of them and the choice, hex. */
  readonly digest: string;
}

type Setting = Config["masking"];

/** The names that rules may ask for. Throws `CommandFailed` where two files have one, or one can be no name. */
export function maskNames(masking: Setting): readonly string[] {
  const names = [...shippedNames];
  for (const file of masking.files) {
    const name = basename(file).replace(/\.ya?ml$/, "");
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))
      throw new CommandFailed(`The masking profile ${file} must be called by lower-case words joined by hyphens.`, 3);
    if (names.includes(name)) throw new CommandFailed(`There is a masking profile ${name} besides ${file}.`, 3);
    names.push(name);
  }
  return names;
}

/** Reads them all, relative paths from `from`. Throws `CommandFailed`, with a sentence a problem, where one can't be used. */
export async function readMasking(io: Pick<Io, "shipped">, masking: Setting, from: string): Promise<MaskingProfiles> {
  const names = maskNames(masking);
  const own = masking.files.map((file) => (isAbsolute(file) ? file : join(from, file)));
  const paths = [...shippedNames.map((name) => join(io.shipped, "masking", `${name}.yaml`)), ...own];
  const texts = await Promise.all(paths.map(textOf));
  const profiles = new Map(
    names.map((name, index) => [name, profileOf(paths[index] ?? "", texts[index] ?? "")] as const),
  );
  const profile = profiles.get(masking.profile);
  if (profile === undefined)
    throw new CommandFailed(`There is no masking profile ${masking.profile}: there are ${names.join(", ")}.`, 3);
  const digest = createHash("sha256")
    .update(JSON.stringify([masking.profile, names, texts]))
    .digest("hex");
  return { profile, profiles, digest };
}

function profileOf(path: string, text: string): Profile {
  const loaded = loadProfile(text);
  if (loaded.kind === "loaded") return loaded.profile;
  throw new CommandFailed(loaded.problems.map((problem) => `${path}: ${problem}`).join("\n"), 3);
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code ?? "unknown";
    throw new CommandFailed(`The masking profile ${path} can't be read (${code}).`, 3);
  }
}
