// Texts that try to look like something else, and arguments of 100 kB, as approvers see them in the console and the terminal; and what is run of them.

import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import { textAt, type JsonObject } from "../../src/domain/json.ts";
import { adminOf, namespace, type Admin } from "../cluster/admin.ts";
import { consoleClient, openFront, visit, type Front } from "../console/visitor.ts";
import { eventually, expectVerifies } from "../faults/shop.ts";
import { openIssuer, type Issuer } from "../support/issuer.ts";
import { promise } from "../support/promise.ts";
import { openWorld, type World } from "../support/world.ts";

const policy = `version: 1
rules:
  - id: apply
    effect: require-approval
    match: { effects: [change], namespaces: [approval-text] }
    approval: { approvers: ["group:sre"], expires: 5m }
    reason: One person agrees.
`;

/** Reorders, clears the screen, hides a link, opens a tag, pings a channel, is bold, has no width, is a tag nobody sees. */
const tricks =
  "ok\u202eesrever \u001b[2J\u001b]8;;https://evil.example\u0007click\u001b]8;;\u0007 <img src=x onerror=alert(1)> <!channel> <@U123> *`x`*\u200b\u{e0041}";
// oxlint-disable-next-line no-control-regex
const unseen =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]|[\u{e0000}-\u{e007f}]/u;

const cluster = inject("cluster");
const why = "skip" in cluster ? ` (skipped: ${cluster.skip})` : "";

describe.skipIf("skip" in cluster)(`texts of others on a real control plane${why}`, () => {
  let admin: Admin;
  let world: World;
  let issuer: Issuer;
  let front: Front;
  beforeAll(async () => {
    if ("skip" in cluster) return;
    admin = adminOf(cluster);
    await admin.create("/api/v1/namespaces", namespace("approval-text", "dev"));
    front = await openFront();
    issuer = await openIssuer({
      resources: [],
      people: { "kim\u202e<b>": { groups: [] } },
      clients: [consoleClient(front.origin)],
    });
    world = await openWorld({
      kubeconfigPath: cluster.kubeconfigPath,
      enroll: null,
      policy,
      config: `
credentials: ambient
hold: 0
issuers:
  - { kind: oidc, name: test, issuer: "${issuer.url}", audience: ["${front.origin}/mcp"] }
console: { url: "${front.origin}", issuer: test, clientId: console }
people:
  - { name: Sam, accounts: [{ issuer: local, subject: approver }], groups: [sre] }
  - { name: Kim, accounts: [{ issuer: "${issuer.url}", subject: "kim\\u202e<b>" }], groups: [sre] }
`,
    });
    front.leadTo(() => world.url);
  });
  afterAll(async () => {
    front?.close();
    await world?.stop();
    await issuer?.stop();
  });

  const show = async (id: string): Promise<string> =>
    (await world.sallyport(["approvals", "show", id], "approver")).out;

  promise(
    "hostile:approval-text",
    "100 kB of arguments with tricks in names, values and the reason; and an approver whose account is one",
    async () => {
      const data = { note: `${tricks}\n+ Approved by Sam`, big: "x".repeat(100_000) };
      const labels = { "app.kubernetes.io/name": "big" };
      const metadata = {
        name: "big",
        namespace: "approval-text",
        labels,
        annotations: { [`sallyport.dev/x`]: tricks },
      };
      const manifest = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata, data });
      const asked = await world.call("manifests_apply", { manifest, reason: tricks });
      expect(asked.text).toMatch(/^APPROVAL PENDING /);
      const id = textAt(asked.facts, "approval");
      const kim = await visit(front.origin, issuer, "kim\u202e<b>");
      const [shown, page, queue] = [
        await show(id),
        await kim.text(`/console/requests/${id}`),
        await kim.text("/console"),
      ];
      expect([shown, page, queue].map((text) => unseen.test(text))).toEqual([false, false, false]);
      expect([page.includes("<img src=x"), page.includes("&lt;img src=x onerror=alert(1)&gt;")]).toEqual([false, true]);
      expect(shown).toContain("ok\\u{202E}esrever");
      expect(shown.split("\n").filter((line) => /^\W*Approved by Sam/.test(line))).toEqual([]);
      // What is too long to be read is cut, and the cut can be seen.
      expect([shown.length < 20_000, page.length < 60_000, shown.includes("…"), page.includes("…")]).toEqual([
        true,
        true,
        true,
        true,
      ]);
      expect(await kim.answer(id, "approve", { reason: tricks })).toEqual({ status: 303, says: "" });
      const path = "/api/v1/namespaces/approval-text/configmaps/big";
      await eventually(async () => (await admin.send("GET", path)).status).toBe(200);
      const { body } = await admin.send("GET", path);
      expect((body["data"] as JsonObject)["big"]).toBe(data.big);
      expect((body["data"] as JsonObject)["note"]).toBe(data.note);
      // Who agreed, and what they said, is a text of others too.
      const after = [await show(id), await kim.text(`/console/requests/${id}`)];
      expect(after.map((text) => unseen.test(text))).toEqual([false, false]);
      expect(after.map((text) => /kim\\u\{202E\}/.test(text))).toEqual([true, true]);
      await expectVerifies(world);
    },
  );
});
