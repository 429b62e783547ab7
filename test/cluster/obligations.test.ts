// What a rule asks besides its answer, through the door: masking profiles, bytes, claims, and who may approve later.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import { isJsonObject, textAt, type JsonObject } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { openWorld, type World } from "../support/world.ts";
import { adminOf, namespace, type Admin } from "./admin.ts";

const policy = `version: 1
rules:
- id: reading
  effect: allow
  match: {effects: [read]}
  reason: Everyone may look.
- id: closely
  effect: allow
  match: {effects: [read], kinds: [configmaps]}
  obligations: {mask: strict}
  reason: Addresses stay here.
- id: ours
  effect: allow
  match: {effects: [read], kinds: [configmaps]}
  when: object.name == "both"
  obligations: {mask: ours}
  reason: Our own tokens too.
- id: briefly
  effect: allow
  match: {effects: [read], kinds: [events]}
  obligations: {maxBytes: 1024}
  reason: In short.
- id: own-team
  effect: require-approval
  match: {effects: [change], namespaces: [obliged]}
  when: has(principal.team) && object.labels.team == principal.team
  approval: {approvers: [owner], expires: 1h, escalate: [{after: 10m, to: ["group:approvers"]}]}
  obligations: {mask: strict}
  reason: A team changes what is its own.
- id: by-what-it-does
  effect: require-approval
  match: {effects: [change], namespaces: [obliged]}
  when: object.name == "rated" && "data.about" in change.paths
  approval: {approvers: ["group:approvers"], expires: 1h}
  obligations: {mask: strict}
  reason: What people are told is agreed.
`;
const ours = `version: 1
formats:
  - id: shop-token
    keywords: [shp_]
    body: a-z0-9
    min: 12
    max: 12
    source: our own
    positives: [shp_abcdef012345]
    negatives: [shp_abc]
`;

const cluster = inject("cluster");
const why = "skip" in cluster ? ` (skipped: ${cluster.skip})` : "";
const place = "obliged";

describe.skipIf("skip" in cluster)(`obligations on a real control plane${why}`, () => {
  let admin: Admin;
  let world: World;
  let ahead = 0;
  beforeAll(async () => {
    if ("skip" in cluster) return;
    admin = adminOf(cluster);
    await admin.create("/api/v1/namespaces", namespace(place, "dev"));
    const about = { mail: "jo@shop.example.org", ours: "shp_zyxwvu987654" };
    const labels = { team: "shop" };
    for (const name of ["one", "both", "rated"])
      await admin.create("/api/v1/namespaces/obliged/configmaps", {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name, labels: name === "rated" ? {} : labels },
        data: { about: `write to ${about.mail} with ${about.ours}` },
      });
    world = await openWorld({
      kubeconfigPath: cluster.kubeconfigPath,
      enroll: null,
      config: "credentials: ambient\nhold: 0\nclaims: [team]\nmasking: {files: [ours.yaml]}",
      policy,
      claims: { team: "shop" },
      outside: { now: () => Date.now() + ahead },
      files: { "ours.yaml": ours },
    });
  }, 300_000);
  afterAll(async () => {
    await world?.stop();
  });

  const read = async (kind: string, name: string): Promise<string> =>
    (await world.call("objects_get", { kind, namespace: "obliged", name, view: "full" })).text;
  const detailsOf = async (kind: string): Promise<readonly JsonObject[]> =>
    (await world.entries())
      .filter((entry) => entry["kind"] === kind)
      .map((entry) => (isJsonObject(entry["details"]) ? entry["details"] : {}));

  promise(
    "policy:obligations",
    "a profile that a rule names hides besides the configured one; of two rules, what either hides",
    async () => {
      const one = await read("ConfigMap", "one");
      expect([
        one.includes("jo@shop.example.org"),
        one.includes("[MASKED:email"),
        one.includes("shp_zyxwvu987654"),
      ]).toEqual([false, true, true]);
      const both = await read("ConfigMap", "both");
      expect([both.includes("jo@shop.example.org"), both.includes("shp_zyxwvu987654")]).toEqual([false, false]);
      const [first, second] = (await detailsOf("call.decided")).slice(-2);
      expect([first?.["obligations"], second?.["obligations"]]).toEqual([
        { mask: ["strict"] },
        { mask: ["ours", "strict"] },
      ]);
    },
  );

  promise("policy:obligations", "no more bytes than the rule says, and the answer says so", async () => {
    for (let at = 0; at < 60; at++)
      await admin.create("/api/v1/namespaces/obliged/events", {
        apiVersion: "v1",
        kind: "Event",
        metadata: { name: `e-${at}` },
        involvedObject: { kind: "Pod", namespace: "obliged", name: `pod-${at}` },
        reason: `Reason${at}`,
        message: `message number ${at} ${"x".repeat(60)}`,
        type: "Warning",
        firstTimestamp: new Date().toISOString(),
        lastTimestamp: new Date().toISOString(),
      });
    const { text, isError } = await world.call("events_list", { namespace: "obliged" });
    expect([isError, Buffer.byteLength(text) <= 1024, text]).toEqual([
      false,
      true,
      expect.stringContaining("\ncut: policy lets 1024 bytes of this answer through\n"),
    ]);
  });

  promise(
    "policy:claims",
    "an approval by team; what is asked for is masked on its card and on record, and others may answer later",
    async () => {
      const patch = (name: string) =>
        world.call("objects_patch", {
          kind: "ConfigMap",
          namespace: "obliged",
          name,
          type: "merge",
          patch: { data: { about: "write to kim@shop.example.org instead" } },
          reason: "jo@shop.example.org has left",
        });
      const asked = await patch("one");
      expect(asked.text).toMatch(/^APPROVAL PENDING apr_/);
      const id = /apr_[0-9a-f-]+/.exec(asked.text)?.[0] ?? "";
      expect((await world.sallyport(["approvals", "show", id], "approver")).code).not.toBe(0);
      const entries = JSON.stringify(await world.entries());
      expect([entries.includes("kim@shop.example.org"), entries.includes("jo@shop.example.org")]).toEqual([
        false,
        false,
      ]);
      expect((await detailsOf("call.decided")).at(-1)?.["facts"]).toMatchObject({
        principal: { claims: { team: "shop" } },
      });

      ahead = 10 * 60_000;
      for (let tries = 0; (await detailsOf("approval.notified")).length === 0; tries++) {
        if (tries > 600) throw new Error(`nobody was told: ${world.log()}`);
        await pause(100);
      }
      expect(await detailsOf("approval.notified")).toEqual([{ approval: id, after: 600, to: ["group:approvers"] }]);
      await world.restart();
      const shown = await world.sallyport(["approvals", "show", id], "approver");
      expect([shown.code, shown.out]).toEqual([0, expect.stringContaining("then also group:approvers, from ")]);
      expect([shown.out.includes("@shop.example.org"), shown.out.includes("[MASKED:email")]).toEqual([false, true]);
      await world.approve();
      const done = await world.call("approval_wait", { id, wait_seconds: 45 });
      expect([textAt(done.facts, "outcome"), done.text.includes("@shop.example.org")]).toEqual(["completed", false]);
      const { body } = await admin.send("GET", "/api/v1/namespaces/obliged/configmaps/one");
      expect(textAt(body, "data", "about")).toBe("write to kim@shop.example.org instead");
      expect(await detailsOf("approval.notified")).toHaveLength(1);
    },
  );

  promise(
    "policy:obligations",
    "a profile that a rule names only for what a change does hides from its preview, its card and the record, too",
    async () => {
      const patch = {
        kind: "ConfigMap",
        namespace: "obliged",
        name: "rated",
        type: "merge",
        patch: { data: { about: "write to lou@shop.example.org instead" } },
        reason: "lou@shop.example.org asked for it",
      };
      const preview = await world.call("objects_patch", { ...patch, preview: true });
      expect([preview.isError, preview.text.includes("@shop.example.org")]).toEqual([false, false]);
      const asked = await world.call("objects_patch", patch);
      const id = textAt(asked.facts, "approval");
      const shown = await world.sallyport(["approvals", "show", id], "approver");
      expect([shown.code, shown.out.includes("@shop.example.org")]).toEqual([0, false]);
      expect(shown.out).toContain("[MASKED:email");
      expect(JSON.stringify(await world.entries()).includes("@shop.example.org")).toBe(false);
    },
  );

  promise(
    "policy:claims",
    "another team's object is nobody's business; a claim that is not allowed starts nothing",
    async () => {
      await admin.send(
        "PATCH",
        "/api/v1/namespaces/obliged/configmaps/both",
        { metadata: { labels: { team: "till" } } },
        { contentType: "application/merge-patch+json" },
      );
      const asked = await world.call("objects_patch", {
        kind: "ConfigMap",
        namespace: "obliged",
        name: "both",
        type: "merge",
        patch: { data: { about: "mine" } },
        reason: "To see what comes of it.",
      });
      expect(asked.text).toMatch(/^DENIED: /);
      const config = join(world.folder, "other.yaml");
      await writeFile(
        config,
        `version: 1\nclaims: [team, groups]\nhttp:\n  tokens:\n    - {file: t, subject: a, kind: agent, claims: {unit: x}}\n`,
      );
      const { code, err } = await world.sallyport(["serve", "--config", config]);
      expect([code, err]).toEqual([
        3,
        expect.stringMatching(/groups is what the gateway itself says of a caller\n.*unit is not one of `claims`$/),
      ]);
    },
  );
});
