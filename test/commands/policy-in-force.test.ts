// A policy in force: reloaded while the gateway runs, explained and tried out on what was recorded.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "vitest";
import { isJsonObject, textAt, type JsonObject } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { openWorld, type World } from "../support/world.ts";
import { openPlace, type Place } from "./place.ts";

const policy = (rules: string): string => `version: 1\nrules:\n${rules}`;
const reading = `- id: reading
  effect: allow
  match: {effects: [read], verbs: [get, list, watch], kinds: [pods, services, apps/deployments, events, namespaces]}
  reason: Everyone may look.
`;
const closed = `- id: closed
  effect: deny
  match: {kinds: [pods]}
  when: object.namespace == "shop" && "agents" in principal.groups
  reason: Not today.
  tell: Pods are closed today.
`;

let place: Place;
let world: World;
let hangup: () => void = () => undefined;
beforeAll(async () => {
  place = await openPlace();
  world = await openWorld({
    kubeconfigPath: place.practice.kubeconfigPath,
    enroll: null,
    config: "credentials: ambient",
    policy: policy(reading),
    outside: {
      onHangup(run) {
        hangup = run;
        return () => undefined;
      },
    },
  });
});
afterAll(async () => {
  await world.stop();
  await place.stop();
});

const file = (): string => join(world.folder, "policy.yaml");
const listPods = async () => await world.call("objects_list", { kind: "pods", namespace: "shop" });
const detailsOf = async (kind: string): Promise<readonly JsonObject[]> =>
  (await world.entries())
    .filter((entry) => entry["kind"] === kind)
    .map((entry) => (isJsonObject(entry["details"]) ? entry["details"] : {}));
async function until(kind: string, count: number): Promise<readonly JsonObject[]> {
  for (let tries = 0; tries < 1200; tries++) {
    const found = await detailsOf(kind);
    if (found.length >= count) return found;
    await pause(50);
  }
  throw new Error(`no ${kind}: ${world.log()}`);
}

/** Writes the file and waits until the gateway says that it took it: the entry is there a little before. */
async function put(text: string, told = (): void => hangup()): Promise<void> {
  const count = (): number => world.log().split("The policy was reloaded").length;
  const before = count();
  await writeFile(file(), text);
  told();
  for (let tries = 0; count() === before; tries++) {
    if (tries > 1200) throw new Error(`not reloaded: ${world.log()}`);
    await pause(50);
  }
}

promise("policy:reloads", "at SIGHUP, from the next call on; a bad file keeps the one before and says so", async () => {
  expect((await listPods()).isError).toBe(false);
  await put(policy(reading + closed));
  const [changed] = await detailsOf("policy.changed");
  expect(changed).toEqual({
    from: expect.stringMatching(/^[0-9a-f]{64}$/),
    to: expect.stringMatching(/^[0-9a-f]{64}$/),
    diff: "+ closed (deny)",
  });
  const denied = await listPods();
  expect([denied.isError, denied.text]).toEqual([true, expect.stringContaining("Pods are closed today.")]);

  await writeFile(file(), policy(`${reading}${closed.replace("object.namespace", "object.namspace")}`));
  hangup();
  const [alert] = await until("alert.raised", 1);
  expect(alert).toEqual({
    alert: "policy refused",
    about: {
      kept: changed?.["to"],
      problems: [expect.stringMatching(/policy\.yaml:\d+:16: object has no "namspace"; did you mean namespace\?$/)],
    },
  });
  expect(world.log()).toContain("The changed policy was not taken: the one before it stays in force.");
  expect((await listPods()).isError).toBe(true);
});

promise("policy:reloads", "by itself, soon after the file was changed", async () => {
  await put(policy(reading.replace("Everyone", "Each of us")), () => undefined);
  const changed = await detailsOf("policy.changed");
  expect(changed.at(-1)?.["diff"]).toBe("~ reading: reason\n- closed (deny)");
  expect((await listPods()).isError).toBe(false);
});

promise(
  "policy:reloads",
  "what was asked for under the old policy does not run where the new one denies it",
  async () => {
    const scaling = (effect: string): string =>
      `- {id: look, effect: allow, match: {effects: [change], verbs: [get, list], kinds: [apps/deployments, apps/deployments/scale, pods, events, autoscaling/horizontalpodautoscalers]}, reason: Looks.}\n` +
      `- {id: scaling, effect: ${effect}, match: {effects: [change], verbs: [patch]}, ${effect === "deny" ? "" : 'approval: {approvers: ["group:approvers"]}, '}reason: Scales.}\n`;
    await put(policy(reading + scaling("require-approval")));
    const asked = world.call("workloads_scale", {
      namespace: "shop-prod",
      kind: "Deployment",
      name: "api",
      replicas: 4,
      reason: "More people come at noon.",
    });
    await until("approval.requested", 1);
    await put(policy(reading + scaling("deny")));
    await world.approve();
    const answer = await asked;
    expect([answer.isError, answer.text]).toEqual([true, expect.stringContaining("denied")]);
    expect(await detailsOf("approval.spent")).toEqual([]);
    await writeFile(file(), policy(reading));
    hangup();
  },
);

promise(
  "policy:when-answers",
  "facts are looked up in the cluster where a rule asks for them, and stand on record",
  async () => {
    const asking = `- id: asking
  effect: allow
  match: {effects: [read], verbs: [get], kinds: [apps/deployments]}
  when: >-
    object.exists && object.labels.app == "api" && !("example.com/closed" in object.annotations) &&
    namespace.exists && session.calls > 0 && !session.tainted && now.hour < 24
  reason: One of them.
`;
    const look = async (name: string) =>
      await world.call("objects_get", { kind: "Deployment", namespace: "shop-prod", name, view: "spec" });
    await put(policy(reading.replace("apps/deployments, ", "") + asking));
    const lastFacts = async () => (await detailsOf("call.decided")).at(-1)?.["facts"];
    const allowed = await look("api");
    expect([allowed.isError, allowed.text]).toEqual([false, expect.stringContaining("api")]);
    expect(await lastFacts()).toMatchObject({
      principal: { kind: "agent", groups: ["agents"] },
      namespaces: [{ name: "shop-prod", exists: true }],
      objects: [
        {
          resource: "deployments",
          namespace: "shop-prod",
          name: "api",
          exists: true,
          labels: { app: "api" },
          annotations: {},
        },
      ],
      session: { calls: expect.any(Number), tainted: false },
      now: expect.stringMatching(/^\d{4}-/),
    });
    const missing = await look("nothing");
    expect([missing.isError, missing.text]).toEqual([true, expect.stringMatching(/^DENIED: /)]);
    await put(policy(reading));
  },
);

promise("policy:explains", "a recorded call, with every rule and why it counts", async () => {
  const received = (await world.entries())
    .filter((entry) => entry["kind"] === "call.decided" && JSON.stringify(entry).includes("objects_list"))
    .at(-1);
  const id = textAt(received, "call");
  await writeFile(join(world.folder, "next.yaml"), policy(reading + closed));
  const { code, out, err } = await world.sallyport(["policy", "explain", id, join(world.folder, "next.yaml")]);
  expect([code, err]).toEqual([0, ""]);
  expect(out).toBe(
    `${[
      "decision: deny",
      "by: reading, closed",
      "tells the agent: Pods are closed today.",
      "",
      "list pods shop/*",
      "  * reading (allow) matches",
      "  * closed (deny) matches: its expression is true",
    ].join("\n")}\n`,
  );
  const unknown = await world.sallyport(["policy", "explain", "call_00000000-0000-7000-8000-000000000000"]);
  expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining("There is no decided call")]);
});

promise(
  "policy:simulates",
  "recorded calls under another policy: what would change, and what can't be told",
  async () => {
    const next = join(world.folder, "next.yaml");
    const simulated = async (...flags: string[]) => await world.sallyport(["policy", "simulate", next, ...flags]);
    await writeFile(next, policy(reading + closed));
    const { out } = await simulated("--since", "1h");
    expect(out).toMatch(/call_\S+ {2}objects_list \(agent\): allow -> deny \(by reading, closed\)\n/);
    expect(out).toMatch(/\n\d+ calls: \d+ as before, 2 changed, 0 can't tell\n {2}allow -> deny: 2\n$/);
    await writeFile(next, policy(reading + closed.replace(/when: .*/, "when: now.hour < 25")));
    const told = JSON.parse((await simulated("--json")).out) as JsonObject;
    expect([told["changed"], told["unknown"]]).toEqual([0, expect.any(Number)]);
    expect(JSON.stringify(told["calls"])).toContain('"why":"the time"');
  },
);
