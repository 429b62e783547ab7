// Keeps the gateway on the policy and the masking profiles that their files hold; bad files change nothing and are told of.

import { dirname } from "node:path";
import type { Gateway } from "../gateway.ts";
import type { Log } from "../log.ts";
import { openEngine } from "../masking/mask.ts";
import { loadPolicy, type PolicyFile } from "../policy/load.ts";
import type { Io } from "./io.ts";
import { loadMasking, maskingDigest, readMaskingTexts, type MaskingTexts } from "./masking-files.ts";
import { policyPaths, readPolicies } from "./policy-files.ts";
import type { Setting } from "./setting.ts";
import { watchFiles, type Watched } from "./steady-files.ts";
import type { ProfilesInForce } from "../wiring/masking-in-force.ts";

type Reloaded = Pick<
  Gateway,
  "changePolicy" | "policyRefused" | "policyDigest" | "changeMasking" | "maskingRefused" | "maskingDigest"
>;

/** Starts watching both; returns how to stop. `masked` hears of profiles that took over. */
export function keepReloading(
  io: Pick<Io, "shipped" | "err" | "onHangup">,
  setting: Setting,
  gateway: Reloaded,
  log: Log,
  masked: (profiles: ProfilesInForce) => void,
): () => Promise<void> {
  return watchFiles(io, [watchedPolicy(io, setting, gateway, log), watchedMasking(io, setting, gateway, log, masked)]);
}

function watchedPolicy(
  io: Pick<Io, "shipped" | "err">,
  { config, read, known }: Setting,
  gateway: Reloaded,
  log: Log,
): Watched<readonly PolicyFile[]> {
  return {
    read: async () => await readPolicies(await policyPaths(io, config.policies, dirname(read.path))),
    async take(files) {
      const loaded = typeof files === "string" ? files : loadPolicy(files, known);
      if (typeof loaded !== "string" && loaded.kind === "loaded") {
        if (await gateway.changePolicy(loaded.policy))
          io.err(
            `The policy was reloaded: ${loaded.policy.rules.length} rules, digest ${loaded.policy.digest.slice(0, 12)}.\n`,
          );
        return;
      }
      const problems =
        typeof loaded === "string"
          ? [loaded]
          : loaded.problems.map(({ path, line, column, sentence }) => `${path}:${line}:${column}: ${sentence}`);
      io.err(`${problems.join("\n")}\nThe changed policy was not taken: the one before it stays in force.\n`);
      await gateway.policyRefused(problems);
    },
    failed: (cause) => log.warn({ cause }, "the policy could not be reloaded"),
  };
}

function watchedMasking(
  io: Pick<Io, "shipped" | "err">,
  { config, read, digestWith }: Setting,
  gateway: Reloaded,
  log: Log,
  masked: (profiles: ProfilesInForce) => void,
): Watched<MaskingTexts> {
  async function refuse(why: string): Promise<void> {
    io.err(`${why}\nThe changed masking profiles were not taken: those before them stay in force.\n`);
    await gateway.maskingRefused(why.split("\n"));
  }
  return {
    read: async () => await readMaskingTexts(io, config.masking, dirname(read.path)),
    async take(texts) {
      if (typeof texts === "string") return await refuse(texts);
      // To load is to run every example: only what is not in force already.
      const before = gateway.maskingDigest();
      if (maskingDigest(config.masking, texts) === before) return;
      const loaded = loadMasking(config.masking, texts);
      if (loaded.kind === "refused") return await refuse(loaded.problems.join("\n"));
      // Compiled once, for the answers and for the log.
      const profiles = { ...loaded.profiles, engine: openEngine(loaded.profiles.profile) };
      const policy = gateway.policyDigest();
      const digests = { from: digestWith(policy, before), to: digestWith(policy, profiles.digest) };
      if (!(await gateway.changeMasking(profiles, digests))) return;
      masked(profiles);
      io.err(
        `The masking profiles were reloaded: ${[...profiles.profiles.keys()].join(", ")}, digest ${profiles.digest.slice(0, 12)}.\n`,
      );
    },
    failed: (cause) => log.warn({ cause }, "the masking profiles could not be reloaded"),
  };
}
