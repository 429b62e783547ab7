// One diff, three readers, on a real control plane: what the agent is shown, what the approver is shown and what the entries keep.

import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import { at, textAt, type JsonObject } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { openWorld, type World } from "../support/world.ts";
import { adminOf, deployment, namespace } from "./admin.ts";

const cluster = inject("cluster");
const why = "skip" in cluster ? ` (skipped: ${cluster.skip})` : "";
const place = "one-diff";
const password = "a-password-of-the-one-diff-test";

/** Reorders, has no width, moves a cursor, returns the carriage, is no plain space, is decomposed, is a tower, is a tag that nobody sees; with two lines and a tab. */
const unseen =
  "ok\u202eesrever\u200b \u001b[2J\u009b1m a\r\nb\tc\u00a0d e\u0301 z\u0303\u0302\u0301\u0300\u0303 \u{e0041} \\u{202E}";

const calls: readonly (readonly [tool: string, input: JsonObject, lines: number])[] = [
  [
    "objects_patch",
    {
      kind: "Deployment",
      name: "api",
      patch: { spec: { paused: true, template: { metadata: { labels: { a: "b" } } } } },
    },
    2,
  ],
  [
    "workloads_update",
    {
      kind: "Deployment",
      name: "api",
      container: "main",
      image: "registry.example.com/api:2",
      env: { A: "1\n2" },
    },
    2,
  ],
  ["workloads_scale", { kind: "Deployment", name: "api", replicas: 3 }, 1],
  [
    "objects_patch",
    { kind: "Deployment", name: "api", patch: { metadata: { annotations: { "example.com/note": unseen } } } },
    1,
  ],
  [
    "workloads_update",
    { kind: "Deployment", name: "api", container: "main", env: { NOTE: unseen, A: "naïve — 日本" } },
    2,
  ],
];

describe.skipIf("skip" in cluster)(`one diff${why}`, () => {
  let world: World;
  beforeAll(async () => {
    if ("skip" in cluster) return;
    const admin = adminOf(cluster);
    await admin.create("/api/v1/namespaces", namespace(place, "prod"));
    await admin.create(`/apis/apps/v1/namespaces/${place}/deployments`, deployment("api", 1, password));
    world = await openWorld({ kubeconfigPath: cluster.kubeconfigPath, enroll: [place], config: "hold: 0" });
  });
  afterAll(async () => {
    await world?.stop();
  });

  const signed = (text: string): string[] =>
    text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => /^!?[~+-] /.test(line));

  for (const [tool, input, count] of calls)
    promise("tools:change-one-diff", tool, async () => {
      const asked = { ...input, namespace: place, reason: "one diff for all who read it" };
      const shown = await world.call(tool, { ...asked, preview: true });
      const pending = await world.call(tool, asked);
      const id = textAt(pending.facts, "approval");
      const card = (await world.sallyport(["approvals", "show", id], "approver")).out;
      const kept = (await world.entries()).findLast((entry) => entry["kind"] === "call.previewed");
      await world.approve();
      const done = await world.call("approval_wait", { id, wait_seconds: 45 });
      const lines = signed(shown.text);
      expect(lines.length).toBe(count);
      expect({ card: signed(card), entry: at(kept, "details", "diff"), done: signed(done.text) }).toEqual({
        card: lines,
        entry: lines,
        done: lines,
      });
      expect([shown.text, card, done.text].filter((text) => text.includes(password))).toEqual([]);
      expect(
        lines
          .join("")
          .normalize("NFC")
          .replaceAll(/[\x20-\x7eï—日本é]/g, ""),
      ).toMatch(/^z?[\u0300-\u0303]*$/u);
    });
});
