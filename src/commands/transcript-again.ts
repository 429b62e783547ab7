// The recorded calls of a session, decided again under another policy.

import { tools } from "../../tools/index.ts";
import type { Known } from "../policy/known.ts";
import { loadPolicy } from "../policy/load.ts";
import { recordedCall, simulate, type Simulated } from "../policy/recorded.ts";
import { readCalls } from "../transcript/calls.ts";
import { CommandFailed, stateFolder, type Io as WholeIo } from "./io.ts";
import { maskNames } from "./masking-files.ts";
import { policyPaths, readPolicies } from "./policy-files.ts";
import { readConfig } from "./setting.ts";

type Io = Pick<WholeIo, "env" | "shipped">;

/** What the policy would answer to each of the session's decided calls. */
export async function decideAgain(
  io: Io,
  session: string,
  paths: readonly string[],
): Promise<ReadonlyMap<string, Simulated>> {
  const files = await readPolicies(await policyPaths(io, paths, "."));
  const { config } = await readConfig(io, undefined);
  const known: Known = { tools, masks: maskNames(config.masking), claims: config.claims };
  const loaded = loadPolicy(files, known);
  if (loaded.kind === "refused")
    throw new CommandFailed(
      loaded.problems.map(({ path, line, column, sentence }) => `${path}:${line}:${column}: ${sentence}`).join("\n"),
      3,
    );
  const calls = await readCalls(stateFolder(io.env), 0, Number.MAX_SAFE_INTEGER, { session });
  return new Map(
    calls.flatMap((kept): (readonly [string, Simulated])[] => {
      const recorded = recordedCall(kept);
      return recorded === undefined ? [] : [[kept.call, simulate(loaded.policy, recorded)]];
    }),
  );
}
