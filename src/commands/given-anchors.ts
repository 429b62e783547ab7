// The anchors that a command line names: files and git repositories that an auditor holds.

import { readAnchor, type GivenAnchor } from "../transcript/given-anchors.ts";
import type { GitRun } from "../transcript/git.ts";
import { CommandFailed, sentenceOf } from "./io.ts";

/** What `--anchor` says of itself, wherever it stands. */
export const anchorSays =
  "checkpoints that were kept elsewhere: a file, a syslog receiver's log or a git repository; as often as you have one. Shows that nothing was cut or rewritten since";

/** For an option that may be given several times. */
export function severalTimes(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** Throws `CommandFailed` where one of them can't be read. */
export async function givenAnchors(
  io: { readonly env: GitRun["env"] },
  paths: readonly string[],
): Promise<readonly GivenAnchor[]> {
  return await Promise.all(
    paths.map(async (path) => {
      const [read] = await Promise.allSettled([readAnchor(path, io.env)]);
      if (read.status === "fulfilled") return read.value;
      const thrown: unknown = read.reason;
      const why = thrown instanceof Error && "code" in thrown ? String(thrown.code) : sentenceOf(thrown);
      throw new CommandFailed(`${path} can't be read (${why}).`, 2);
    }),
  );
}
