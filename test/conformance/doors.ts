// The two doors that the conformance suite is run against, and what each has to pass.

import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeTokenFile } from "../../src/identity/verifiers/index.ts";
import { openPlace } from "../commands/place.ts";
import { startServing } from "../support/world.ts";
import { openFixture } from "./fixture.ts";
import { tokenProxy } from "./proxy.ts";
import { requiredBy, runSuite, type Ran, type Revision, type Scenario } from "./run.ts";

/** What the real server has to pass: the scenarios that ask for no tool, prompt or resource of the suite's own. */
const toolFree: { readonly [revision in Revision]: readonly string[] } = {
  "2026-07-28": [
    "server-stateless",
    "completion-complete",
    "tools-list",
    "server-sse-multiple-streams",
    "resources-list",
    "sep-2164-resource-not-found",
    "prompts-list",
    "dns-rebinding-protection",
    "caching",
    "input-required-result-unsupported-methods",
  ],
  // Logging and subscriptions are capabilities that Sallyport does not declare; its 2025 door has no sessions to stream in.
  "2025-11-25": [
    "server-initialize",
    "ping",
    "completion-complete",
    "tools-list",
    "resources-list",
    "prompts-list",
    "dns-rebinding-protection",
  ],
};

/** Checks of `server-stateless` that drive a diagnostic tool of the suite; the fixture passes them. */
const diagnostic = /^\S+: Not testable: server does not list the diagnostic tool /;

export interface Door {
  readonly name: string;
  readonly mustPass: { readonly [revision in Revision]: readonly string[] };
  run(revision: Revision): Promise<Ran>;
  stop(): Promise<void>;
}

/** The suite's own tools behind our transport, token check and adapter: everything that a revision requires. */
export async function fixtureDoor(): Promise<Door> {
  const fixture = await openFixture();
  const proxy = await tokenProxy(fixture.url, fixture.token);
  return {
    name: "the suite's tools behind Sallyport's door",
    mustPass: { "2026-07-28": await requiredBy("2026-07-28"), "2025-11-25": await requiredBy("2025-11-25") },
    run: (revision) => runSuite(proxy.url, revision),
    async stop() {
      await proxy.stop();
      await fixture.stop();
    },
  };
}

/** `sallyport serve --http` on the practice cluster. */
export async function realDoor(): Promise<Door> {
  const place = await openPlace();
  const env = place.env("conformance");
  const home = env["SALLYPORT_HOME"] ?? "";
  await mkdir(home, { mode: 0o700 });
  const token = await writeTokenFile(join(home, "suite.token"), (count) => randomBytes(count));
  const named = "{ file: suite.token, subject: suite, kind: agent, groups: [agents] }";
  await writeFile(join(home, "sallyport.yaml"), `version: 1\nhttp:\n  port: 0\n  tokens: [${named}]\n`);
  const served = await startServing(env);
  const proxy = await tokenProxy(served.url, token);
  return {
    name: "sallyport serve --http",
    mustPass: toolFree,
    run: (revision) => runSuite(proxy.url, revision),
    async stop() {
      await proxy.stop();
      await served.stop();
      await place.stop();
    },
  };
}

/** The scenarios of `names` with what is wrong with each; those that hold have nothing. */
export function verdicts(ran: Ran, names: readonly string[]): readonly Scenario[] {
  return names.map((name) => {
    const scenario = ran.required.find((one) => one.name === name) ?? { name, passed: 0, failed: ["is not required"] };
    const failed = scenario.failed.filter((one) => !diagnostic.test(one));
    return { ...scenario, failed: failed.length === 0 && scenario.passed === 0 ? ["nothing was checked"] : failed };
  });
}
