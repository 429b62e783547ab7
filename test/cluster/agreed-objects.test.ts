// An approved deletion of an object that is another one by then, through the door of a gateway before a real API server: nothing is deleted that nobody agreed to.

import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import { at, textAt, type JsonObject } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { openWorld, type Answer, type World } from "../support/world.ts";
import { adminOf, deployment, namespace, type Admin } from "./admin.ts";

const place = "agreed-objects";
const policy = `version: 1
rules:
- id: ask
  effect: allow
  match: { effects: [read], tools: [approval_wait] }
  reason: Everyone may ask.
- id: look
  effect: allow
  match: { effects: [read, destroy], verbs: [get, list] }
  reason: Looking is free.
- id: delete
  effect: require-approval
  match: { effects: [destroy], verbs: [get, delete], namespaces: [${place}], kinds: [apps/deployments] }
  approval: { approvers: ["group:approvers"] }
  reason: A person agrees.
`;

const cluster = inject("cluster");
const skipped = "skip" in cluster ? ` (skipped: ${cluster.skip})` : "";

describe.skipIf("skip" in cluster)(`deletions that were agreed, on a real control plane${skipped}`, () => {
  let admin: Admin;
  let world: World;
  const path = `/apis/apps/v1/namespaces/${place}/deployments`;
  beforeAll(async () => {
    if ("skip" in cluster) return;
    admin = adminOf(cluster);
    await admin.create("/api/v1/namespaces", namespace(place, "dev"));
    world = await openWorld({ kubeconfigPath: cluster.kubeconfigPath, enroll: [place], policy, config: "hold: 0" });
  }, 120_000);
  afterAll(async () => {
    // The namespace stays: the next enrolment would drop it from the record that other files read at the same time.
    await world?.stop();
  });

  const there = async (name: string): Promise<readonly [number, string, unknown]> => {
    const { status, body } = await admin.send("GET", `${path}/${name}`);
    return [status, textAt(body, "metadata", "uid"), at(body, "metadata", "generation")];
  };
  /** Asked for, changed by somebody else, then approved: what the agent hears. */
  async function deletion(name: string, meanwhile: () => Promise<unknown>): Promise<Answer> {
    await admin.create(path, deployment(name, 1, "hunter2-Xk93jd0s"));
    const asked = await world.call("objects_delete", {
      kind: "Deployment",
      namespace: place,
      names: [name],
      reason: "it is not used any more",
    });
    expect(asked.facts["outcome"]).toBe("suspended");
    await meanwhile();
    await world.approve();
    return await world.call("approval_wait", { id: textAt(asked.facts, "approval"), wait_seconds: 45 });
  }
  const change = async (name: string, body: JsonObject, more = ""): Promise<void> => {
    const options = { contentType: "application/merge-patch+json" };
    expect((await admin.send("PATCH", `${path}/${name}${more}`, body, options)).status).toBe(200);
  };
  const why = ({ text }: Answer): readonly string[] =>
    text.split("\n").filter((line) => /^(ERROR|changed since)/.test(line));
  const stale = "ERROR approval_stale: What was approved is no longer what would happen.";

  promise("faults:approval-stale", "its generation is another: it stays", async () => {
    const answer = await deletion("changed", async () => await change("changed", { spec: { replicas: 2 } }));
    expect(why(answer)).toEqual([stale, "changed since: the object itself"]);
    expect((await there("changed"))[0]).toBe(200);
    expect((await there("changed"))[2]).toBe(2);
  });

  promise("faults:approval-stale", "deleted and made again under its name, equal to the letter: it stays", async () => {
    let before = "";
    const answer = await deletion("again", async () => {
      before = (await there("again"))[1];
      await admin.send("DELETE", `${path}/again`);
      await expect.poll(async () => (await there("again"))[0], { timeout: 60_000 }).toBe(404);
      await admin.create(path, deployment("again", 1, "hunter2-Xk93jd0s"));
    });
    expect(why(answer)).toEqual([stale, "changed since: the object was replaced"]);
    const [status, uid] = await there("again");
    expect([status, uid === before]).toEqual([200, false]);
  });

  promise("faults:approval-stale", "gone by itself: nothing is deleted in its place", async () => {
    const answer = await deletion("gone", async () => {
      await admin.send("DELETE", `${path}/gone`);
      await expect.poll(async () => (await there("gone"))[0], { timeout: 60_000 }).toBe(404);
    });
    expect(why(answer)[0]).toBe(stale);
  });

  promise("faults:approval-stale", "the gateway begins anew, and nothing else changes: it is deleted", async () => {
    const answer = await deletion("restarted", async () => await world.restart());
    expect(why(answer)).toEqual([]);
    await expect.poll(async () => (await there("restarted"))[0], { timeout: 60_000 }).toBe(404);
  });

  promise("faults:approval-stale", "what the server alone writes may change: it is deleted", async () => {
    const answer = await deletion("status", async () =>
      change("status", { status: { observedGeneration: 1, replicas: 1 } }, "/status"),
    );
    expect(why(answer)).toEqual([]);
    await expect.poll(async () => (await there("status"))[0], { timeout: 60_000 }).toBe(404);
  });
});
