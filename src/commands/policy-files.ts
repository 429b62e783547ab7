// Which files a policy is made of: paths, folders of YAML files, or the names of the profiles that ship.

import { readdir, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import type { PolicyFile } from "../policy/load.ts";
import { CommandFailed, type Io } from "./io.ts";
import { plainFile } from "./plain-file.ts";

/** The profiles that ship, each a whole policy. */
export const profiles: readonly string[] = ["observe", "default", "production"];

/** The paths that a list of names stands for, relative ones from `from`; without any, the default profile's. */
export async function policyPaths(
  io: Pick<Io, "shipped">,
  names: readonly string[],
  from: string,
): Promise<readonly string[]> {
  const wanted = names.length === 0 ? ["default"] : names;
  const paths = wanted.map(async (name): Promise<readonly string[]> => {
    if (profiles.includes(name)) return [join(io.shipped, "access", `${name}.yaml`)];
    return await filesAt(isAbsolute(name) ? name : join(from, name));
  });
  return [...new Set((await Promise.all(paths)).flat())];
}

/** Their texts. Throws `CommandFailed` where one can't be read. */
export async function readPolicies(paths: readonly string[]): Promise<readonly PolicyFile[]> {
  try {
    return await Promise.all(paths.map(async (path) => ({ path, text: await plainFile(path) })));
  } catch (thrown) {
    const { path = "", code = "unknown" } = thrown as NodeJS.ErrnoException;
    throw new CommandFailed(`The policy file ${path} can't be read (${code}).`, 2);
  }
}

/** A folder stands for its YAML files in the order of their names; what is not there is told of when it is read. */
async function filesAt(path: string): Promise<string[]> {
  const [found] = await Promise.allSettled([stat(path)]);
  if (found.status === "rejected" || !found.value.isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => /\.ya?ml$/.test(name)).sort();
  return names.map((name) => join(path, name));
}
