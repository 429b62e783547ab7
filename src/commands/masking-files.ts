// The masking profiles that a gateway has: those that ship and the configuration's own, each named after its file.

import { createHash } from "node:crypto";
import { basename, isAbsolute, join } from "node:path";
import type { Config } from "../config/schema.ts";
import { loadProfile } from "../masking/load.ts";
import type { Profile } from "../masking/profile.ts";
import { CommandFailed, type Io } from "./io.ts";
import { plainFile } from "./plain-file.ts";

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

/** What the files of all profiles hold, in the order of their names. */
export interface MaskingTexts {
  readonly names: readonly string[];
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

export type LoadedMasking =
  | { readonly kind: "loaded"; readonly profiles: MaskingProfiles }
  /** One sentence a problem. */
  | { readonly kind: "refused"; readonly problems: readonly string[] };

/** Reads their files, relative paths from `from`. Throws `CommandFailed` where one can't be read. */
export async function readMaskingTexts(io: Pick<Io, "shipped">, masking: Setting, from: string): Promise<MaskingTexts> {
  const names = maskNames(masking);
  const own = masking.files.map((file) => (isAbsolute(file) ? file : join(from, file)));
  const paths = [...shippedNames.map((name) => join(io.shipped, "masking", `${name}.yaml`)), ...own];
  return { names, files: await Promise.all(paths.map(async (path) => ({ path, text: await textOf(path) }))) };
}

/** SHA-256 over the files' texts and the choice of the profile, hex. */
export function maskingDigest(masking: Setting, { names, files }: MaskingTexts): string {
  const texts = files.map(({ text }) => text);
  return createHash("sha256")
    .update(JSON.stringify([masking.profile, names, texts]))
    .digest("hex");
}

/** Loads every profile, its examples run and its cost probed: all of them or none. */
export function loadMasking(masking: Setting, texts: MaskingTexts): LoadedMasking {
  const { names, files } = texts;
  const profiles = new Map<string, Profile>();
  const problems: string[] = [];
  for (const [index, name] of names.entries()) {
    const { path, text } = files[index] ?? { path: name, text: "" };
    const loaded = loadProfile(text);
    if (loaded.kind === "loaded") profiles.set(name, loaded.profile);
    else problems.push(...loaded.problems.map((problem) => `${path}: ${problem}`));
  }
  if (problems.length > 0) return { kind: "refused", problems };
  const profile = profiles.get(masking.profile);
  if (profile === undefined)
    return {
      kind: "refused",
      problems: [`There is no masking profile ${masking.profile}: there are ${names.join(", ")}.`],
    };
  return { kind: "loaded", profiles: { profile, profiles, digest: maskingDigest(masking, texts) } };
}

/** Reads and loads them all. Throws `CommandFailed`, with a sentence a problem, where one can't be used. */
export async function readMasking(io: Pick<Io, "shipped">, masking: Setting, from: string): Promise<MaskingProfiles> {
  const loaded = loadMasking(masking, await readMaskingTexts(io, masking, from));
  if (loaded.kind === "refused") throw new CommandFailed(loaded.problems.join("\n"), 3);
  return loaded.profiles;
}

async function textOf(path: string): Promise<string> {
  try {
    return await plainFile(path);
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code ?? "unknown";
    throw new CommandFailed(`The masking profile ${path} can't be read (${code}).`, 3);
  }
}
