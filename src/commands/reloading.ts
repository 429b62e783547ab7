// Keeps the gateway on the policy that its files hold: looked at every two seconds and at SIGHUP; a bad file changes nothing.

import { createHash } from "node:crypto";
import { dirname } from "node:path";
import type { Gateway } from "../gateway.ts";
import type { Log } from "../log.ts";
import { loadPolicy, type PolicyFile } from "../policy/load.ts";
import { sentenceOf, type Io } from "./io.ts";
import { policyPaths, readPolicies } from "./policy-files.ts";
import type { Setting } from "./setting.ts";

/** Milliseconds between two looks. A change counts when two looks in a row find it, so that a half-written file is not read. */
const lookEvery = 2000;

/** Starts watching; returns how to stop. Nothing is read at the same time twice. */
export function keepReloading(
  io: Pick<Io, "shipped" | "err" | "onHangup">,
  { config, read, known }: Setting,
  gateway: Pick<Gateway, "changePolicy" | "policyRefused">,
  log: Log,
): () => Promise<void> {
  let taken = "";
  let seen = "";
  let working = Promise.resolve();

  async function look(sure: boolean): Promise<void> {
    const files = await current();
    const key = keyOf(files);
    const steady = sure || key === seen;
    seen = key;
    if (key === taken || !steady) return;
    await take(files);
    // Not before: what could not be put on record is tried again.
    taken = key;
  }
  async function current(): Promise<readonly PolicyFile[] | string> {
    try {
      return await readPolicies(await policyPaths(io, config.policies, dirname(read.path)));
    } catch (thrown) {
      return sentenceOf(thrown);
    }
  }
  async function take(files: readonly PolicyFile[] | string): Promise<void> {
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
  }
  const next = (sure: boolean): void => {
    working = working
      .then(() => look(sure))
      .catch((thrown: unknown) => log.warn({ cause: sentenceOf(thrown) }, "the policy could not be reloaded"));
  };
  const timer = setInterval(() => next(false), lookEvery);
  timer.unref();
  const stopListening = io.onHangup?.(() => next(true));
  return async () => {
    clearInterval(timer);
    stopListening?.();
    await working;
  };
}

function keyOf(files: readonly PolicyFile[] | string): string {
  return createHash("sha256").update(JSON.stringify(files)).digest("hex");
}
