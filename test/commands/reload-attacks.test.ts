// A policy folder in other hands while the gateway runs: half-written, deleted, swapped, linked, changed twice, bad and good again.

import { execFile } from "node:child_process";
import { mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect } from "vitest";
import { isJsonObject, textAt, type JsonObject } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { openWorld, type World } from "../support/world.ts";
import { openPlace, type Place } from "./place.ts";

const policy = (...rules: readonly string[]): string => `version: 1\nrules:\n${rules.join("")}`;
const kinds =
  "[pods, services, events, namespaces, apps/deployments, apps/deployments/scale, autoscaling/horizontalpodautoscalers]";
const reading = `- {id: asking, effect: allow, match: {tools: [approval_wait]}, reason: Everyone may ask.}
- {id: reading, effect: allow, match: {verbs: [get, list, watch], kinds: ${kinds}}, reason: Everyone may look.}\n`;
const closed = "- {id: closed, effect: deny, match: {kinds: [pods]}, reason: Not today., tell: Pods are closed.}\n";
const scaling = (more: string): string =>
  `- {id: scaling, effect: require-approval, match: {effects: [change], verbs: [patch]}, approval: {${more}}, reason: Scales.}\n`;
const asked = scaling('approvers: ["group:approvers"]');

let place: Place;
let world: World;
let hangup: () => void = () => undefined;
beforeAll(async () => {
  place = await openPlace();
  world = await openWorld({
    kubeconfigPath: place.practice.kubeconfigPath,
    enroll: null,
    config: "credentials: ambient\nhold: 0\npolicies: [rules]",
    files: { "rules/a.yaml": policy(reading) },
    outside: {
      onHangup(run) {
        hangup = run;
        return () => undefined;
      },
    },
  });
});
afterAll(async () => {
  await world?.stop();
  await place?.stop();
});

const file = (name = "a.yaml"): string => join(world.folder, "rules", name);
const mayList = async (): Promise<boolean> =>
  !(await world.call("objects_list", { kind: "pods", namespace: "shop-dev" })).isError;
const detailsOf = async (kind: string): Promise<readonly JsonObject[]> =>
  (await world.entries())
    .filter((entry) => entry["kind"] === kind)
    .map((entry) => (isJsonObject(entry["details"]) ? entry["details"] : {}));
async function until(what: string, count: number): Promise<void> {
  for (let tries = 0; world.log().split(what).length - 1 < count; tries++) {
    if (tries > 1200) throw new Error(`not ${count} times ${what}: ${world.log()}`);
    await pause(50);
  }
}
/** Puts a whole file in the place of whatever stands there: no look finds a part of it, or nothing. */
async function put(text: string): Promise<void> {
  await writeFile(join(world.folder, "whole"), text);
  await rename(join(world.folder, "whole"), file());
}
const took = "The policy was reloaded";
const kept = "The changed policy was not taken";
const times = (what: string): number => world.log().split(what).length - 1;
async function told(what: string, work: () => Promise<void>): Promise<void> {
  const before = times(what);
  await work();
  hangup();
  await until(what, before + 1);
}

promise(
  "policy:reloads",
  "a file that is being written counts once it is whole, not where half of it is a policy too",
  async () => {
    const before = times(took);
    await writeFile(file(), policy(reading, closed.replace("closed", "half")).slice(0, -1));
    await pause(400);
    await writeFile(file(), policy(reading, closed));
    await until(took, before + 1);
    expect((await detailsOf("policy.changed")).map(({ diff }) => diff)).toEqual(["+ closed (deny)"]);
    expect(await mayList()).toBe(false);
  },
);

promise("policy:reloads", "two changes at once end in the second, and a bad one between them in neither", async () => {
  const before = times(took);
  await writeFile(file(), policy(reading));
  hangup();
  await writeFile(file(), policy(reading, "- {id: bad}\n"));
  await writeFile(file(), policy(reading, closed, asked));
  hangup();
  await until(took, before + 1);
  // The first may have been taken by itself.
  await expect
    .poll(async () => (await detailsOf("policy.changed")).at(-1)?.["diff"], { timeout: 60_000 })
    .toContain("+ scaling (require-approval)");
  expect(await mayList()).toBe(false);
});

promise(
  "policy:reloads",
  "deleted, emptied or unreadable, the one before stays in force; put back, it is in force still",
  async () => {
    const text = await readFile(file(), "utf8");
    const changes = (await detailsOf("policy.changed")).length;
    const alerts = (await detailsOf("alert.raised")).length;
    await told(kept, () => rm(file()));
    expect(await mayList()).toBe(false);
    await told(kept, () => put(""));
    await told(kept, () => put("version: 1\nrules: [{"));
    await told(kept, () => put("x".repeat(2_000_000)));
    await told(kept, async () => {
      await rm(file());
      await mkdir(file());
    });
    await told(kept, async () => {
      await rm(file(), { recursive: true });
      // Whoever reads a pipe that nobody writes to waits for ever.
      await promisify(execFile)("mkfifo", [file()]);
    });
    await told(kept, async () => {
      await rm(file(), { recursive: true });
      await symlink(file(), file());
    });
    expect(await mayList()).toBe(false);
    await put(text);
    hangup();
    await told(took, () => put(policy(reading, asked)));
    expect(await mayList()).toBe(true);
    expect((await detailsOf("policy.changed")).length).toBe(changes + 1);
    // A look between two steps may have found nothing there, as at first.
    const said = (await detailsOf("alert.raised")).slice(alerts).map(({ about }) => JSON.stringify(about));
    expect(new Set(said).size).toBe(7);
    expect((await detailsOf("alert.raised")).length).toBe(alerts + 7);
  },
);

promise("policy:reloads", "a folder that is swapped under its name, or behind a link, is one change", async () => {
  const [rules, next] = [join(world.folder, "rules"), join(world.folder, "next")];
  await mkdir(next);
  await writeFile(join(next, "z.yaml"), policy(reading));
  await writeFile(join(next, "closed.yml"), policy(closed, asked));
  await told(took, async () => {
    await rename(rules, join(world.folder, "old"));
    await rename(next, rules);
  });
  expect(await mayList()).toBe(false);
  await told(took, async () => {
    await rename(rules, next);
    await symlink("old", rules);
  });
  expect(await mayList()).toBe(true);
  await told(took, async () => {
    await symlink("next", join(world.folder, "link"));
    await rename(join(world.folder, "link"), rules);
  });
  expect(await mayList()).toBe(false);
  const last = join(world.folder, "last");
  await mkdir(last);
  await writeFile(join(last, "a.yaml"), policy(reading, asked));
  await told(took, async () => {
    await rm(rules);
    await rename(last, rules);
  });
  expect((await detailsOf("policy.changed")).at(-1)?.["diff"]).toBe("- closed (deny)");
});

promise(
  "policy:reloads",
  "an approval given under the old policy is not spent where the new one asks for more, in whatever way",
  async () => {
    const stricter = [
      scaling('approvers: ["group:approvers"], count: 2'),
      scaling('approvers: ["group:others"]'),
      scaling('approvers: ["group:approvers"], assurance: chat'),
      scaling('approvers: ["group:approvers"], validFor: 5m'),
      asked + scaling('approvers: ["group:others"]').replace("scaling", "more"),
      scaling('approvers: ["group:approvers"], escalate: [{after: 5m, to: ["group:others"]}]'),
    ];
    for (const [index, next] of stricter.entries()) {
      const answer = await world.call("workloads_scale", {
        kind: "Deployment",
        namespace: "shop-prod",
        name: "api",
        replicas: 4 + index,
        reason: "More people come at noon.",
      });
      const id = textAt(answer.facts, "approval");
      await told(took, () => put(policy(reading, next)));
      const answered = await world.sallyport(["approvals", "approve", id, "--yes"], "approver");
      expect([next, answered.code]).toEqual([next, 0]);
      const ended = await world.call("approval_wait", { id, wait_seconds: 45 });
      expect([next, ended.text]).toEqual([next, expect.stringContaining("the policy asks for more")]);
      await told(took, () => put(policy(reading, asked)));
    }
    expect(await detailsOf("approval.spent")).toEqual([]);
    const again = await world.call("workloads_scale", {
      kind: "Deployment",
      namespace: "shop-prod",
      name: "api",
      replicas: 9,
      reason: "More people come at noon.",
    });
    const id = textAt(again.facts, "approval");
    // Another reason for people, another rule beside it: nothing stricter, and the approval still stands.
    await told(took, () => put(policy(reading, asked.replace("Scales.", "Scales now."))));
    await world.sallyport(["approvals", "approve", id, "--yes"], "approver");
    expect((await world.call("approval_wait", { id, wait_seconds: 45 })).text).toContain("DONE workloads_scale");
  },
);
