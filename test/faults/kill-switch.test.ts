// The kill switch on a real kube-apiserver: all that one agent runs, asked for or holds ends with it, and another agent goes on.

import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import { at, isJsonObject, textAt, type Json, type JsonObject } from "../../src/domain/json.ts";
import { writeTokenFile } from "../../src/identity/verifiers/index.ts";
import { adminOf, deployment, namespace, type Admin } from "../cluster/admin.ts";
import { failingDisk } from "../support/disks.ts";
import { promise } from "../support/promise.ts";
import { openWire, status, type Wire } from "../support/proxy.ts";
import { clientTransport, openWorld, type World } from "../support/world.ts";
import {
  eventually,
  expectVerifies,
  heading,
  moments,
  openShop,
  scaling as scalingIn,
  untouched,
  type Shop,
} from "./shop.ts";

const cluster = inject("cluster");
const why = "skip" in cluster ? ` (skipped: ${cluster.skip})` : "";
const [dev, prod] = ["kill-dev", "kill-prod"];

/** A change that a rule allows at once in one namespace, and puts to a person in the other. */
const policy = JSON.stringify({
  version: 1,
  rules: [
    {
      id: "look",
      effect: "allow",
      match: { effects: ["read", "change"], verbs: ["get", "list", "watch"] },
      reason: "Looking is free here.",
    },
    {
      id: "scale",
      effect: "allow",
      match: { effects: ["change"], verbs: ["patch"], kinds: ["apps/deployments/scale"], namespaces: [dev] },
      reason: "So is scaling where nobody lives.",
    },
    {
      id: "ask",
      effect: "require-approval",
      match: { effects: ["change"], verbs: ["patch"], kinds: ["apps/deployments/scale"], namespaces: [prod] },
      approval: { approvers: ["group:approvers"] },
      reason: "Somebody lives here.",
    },
  ],
});
const scaling = (place: string, replicas: number): JsonObject => ({
  kind: "Deployment",
  namespace: place,
  name: "api",
  replicas,
  reason: "the switch is being tried",
});
const waiting = (name: string, until: string): JsonObject => ({
  kind: "Deployment",
  namespace: dev,
  name,
  for: until,
  wait_seconds: 45,
});

describe.skipIf("skip" in cluster)(`the kill switch on a real kube-apiserver${why}`, () => {
  let folder = "";
  let wire: Wire;
  let world: World;
  let admin: Admin;
  let otherToken = "";
  let other: Client;

  beforeAll(async () => {
    if ("skip" in cluster) return;
    admin = adminOf(cluster);
    for (const name of [dev, prod]) {
      await admin.create("/api/v1/namespaces", namespace(name, "dev"));
      await admin.create(`/apis/apps/v1/namespaces/${name}/deployments`, deployment("api", 1, "none"));
    }
    const passing = deployment("api", 1, "none");
    await admin.create(`/apis/apps/v1/namespaces/${dev}/deployments`, { ...passing, metadata: { name: "passing" } });
    folder = await mkdtemp(join(tmpdir(), "sallyport-kill-"));
    wire = await openWire({ target: cluster, adminToken: cluster.adminToken, folder });
    world = await openWorld({ kubeconfigPath: wire.kubeconfigPath, enroll: [dev, prod], config: "hold: 20", policy });
    // A second agent, with a token of its own.
    await world.restart(async () => {
      const file = join(world.folder, "other.token");
      otherToken = await writeTokenFile(file, (count) => randomBytes(count));
      await appendFile(
        join(world.folder, "sallyport.yaml"),
        `    - { file: ${JSON.stringify(file)}, subject: other, kind: agent, groups: [agents] }\n`,
      );
    });
    other = await connected(otherToken);
    const account = { issuer: "local", subject: "agent", owner: "olga@example.com", purpose: "Scales the shop" };
    const options = Object.entries(account).flatMap(([option, value]) => [`--${option}`, value]);
    const registered = await world.sallyport(["agents", "register", "scaler", ...options]);
    expect(registered.code).toBe(0);
  }, 300_000);
  afterAll(async () => {
    if (wire !== undefined) wire.rule = () => ({ kind: "pass" });
    await other?.close();
    await world?.stop();
    await wire?.stop();
    if (folder !== "") await rm(folder, { recursive: true, force: true });
  });

  async function connected(token: string): Promise<Client> {
    const client = new Client({ name: "an-agent", version: "1.0.0" });
    await client.connect(clientTransport(world.url, token));
    return client;
  }
  const asks = async (client: Client, name: string, arguments_: JsonObject): Promise<string> => {
    const { content } = await client.callTool({ name, arguments: arguments_ }, { timeout: 60_000 });
    return textAt(content as Json, 0, "text").split("\n")[0] ?? "";
  };
  const passed = (text: string): number => wire.passed.filter(({ url }) => url.includes(text)).length;
  const isWrite = ({ method, url }: { readonly method: string; readonly url: string }): boolean =>
    method === "PATCH" && url.includes(`/${dev}/`) && url.includes("/scale") && !url.includes("dryRun");
  const listed = (value: JsonObject, ...path: readonly string[]): readonly JsonObject[] => {
    const found = at(value, ...path);
    return Array.isArray(found) ? (found as readonly Json[]).filter(isJsonObject) : [];
  };
  /** Which objects of a grant the cluster still has. */
  async function leftOf(grant: string): Promise<string[]> {
    const places = [
      `/api/v1/namespaces/sallyport-sessions/serviceaccounts/run-${grant}`,
      `/apis/rbac.authorization.k8s.io/v1/namespaces/${dev}/rolebindings/run-${grant}`,
      `/apis/rbac.authorization.k8s.io/v1/namespaces/${dev}/roles/run-${grant}`,
    ];
    const found = await Promise.all(
      places.map(async (path) => [path, (await admin.send("GET", path)).status] as const),
    );
    return found.filter(([, status]) => status !== 404).map(([path]) => path.split("/").at(-2) ?? "");
  }
  const ofAgent = async (kind: string): Promise<readonly JsonObject[]> =>
    (await world.entries()).filter((entry) => entry["kind"] === kind && textAt(entry, "principal", "sub") === "agent");

  promise(
    "accounts:kill-switch",
    "a wait, a change that hangs between grant and answer, and a held request end; the other agent's do not",
    async () => {
      const hanging = Promise.withResolvers<void>();
      wire.rule = (one) => {
        if (!isWrite(one)) return { kind: "pass" };
        hanging.resolve();
        return { kind: "hang" };
      };
      const quiet = (call: Promise<string>): Promise<string> => call.catch(() => "refused");
      const mine = await connected(world.tokens.agent);
      const running = [
        quiet(asks(mine, "conditions_wait", waiting("api", "Never=True"))),
        quiet(asks(mine, "workloads_scale", scaling(dev, 3))),
        quiet(asks(mine, "workloads_scale", scaling(prod, 3))),
      ];
      const theirs = quiet(asks(other, "conditions_wait", waiting("passing", "deleted")));
      await hanging.promise;
      await eventually(() => passed("watch=true")).toBeGreaterThanOrEqual(2);
      await eventually(async () => (await world.sallyport(["approvals", "list", "--json"], "approver")).out).toMatch(
        /apr_/,
      );
      const grant = textAt(
        (await ofAgent("grant.issued")).findLast((entry) => textAt(entry, "details", "issuer") === "token-request"),
        "details",
        "grant",
      );
      expect(await leftOf(grant)).toEqual(["serviceaccounts", "rolebindings", "roles"]);

      const began = performance.now();
      const switched = await world.sallyport([
        "agents",
        "disable",
        "scaler",
        "--now",
        "--reason",
        "it is being tried",
        "--json",
      ]);
      const took = performance.now() - began;
      const left = await leftOf(grant);
      const reply = JSON.parse(switched.out) as JsonObject;
      process.stdout.write(
        `kill switch: ${JSON.stringify(at(reply, "ended", "milliseconds"))} ms in the gateway, ${took.toFixed(0)} ms with the command\n`,
      );
      expect(left).toEqual([]);
      // Generous: a machine that is busy with other tests takes its time, and patience ends at ten seconds.
      expect(took).toBeLessThan(9_000);
      const calls = listed(reply, "ended", "calls").map((one) => [
        one["tool"],
        one["end"],
        one["effect"],
        one["grants"],
      ]);
      expect(calls.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))).toEqual([
        ["conditions_wait", "cancelled", "none", []],
        ["workloads_scale", "cancelled", "unknown", [{ grant, gone: true }]],
      ]);
      expect(listed(reply, "ended", "approvals").map((one) => [one["tool"], one["object"]])).toEqual([
        ["workloads_scale", `Deployment ${prod}/api`],
      ]);
      expect(at(reply, "ended", "sessions")).toBe(1);
      expect(wire.left.filter((one) => one.includes("/scale") && !one.includes("dryRun"))).toHaveLength(1);

      // The callers are let go, their next request is a stranger's, and nothing of theirs waits for a person.
      await Promise.all(running);
      await expect(asks(mine, "objects_list", { kind: "pods", namespace: dev })).rejects.toThrow(/not accepted/);
      await mine.close();
      expect((await world.sallyport(["approvals", "list"], "approver")).out).toBe("Nothing waits for an answer.\n");

      // The other agent's wait ran to its own end, and its next change goes through.
      await admin.send("DELETE", `/apis/apps/v1/namespaces/${dev}/deployments/passing`);
      expect(await theirs).toMatch(/^Deployment kill-dev\/passing: deleted after/);
      wire.rule = () => ({ kind: "pass" });
      expect(await asks(other, "workloads_scale", scaling(dev, 2))).toBe(`DONE workloads_scale Deployment ${dev}/api`);
    },
    300_000,
  );

  promise(
    "accounts:kill-switch",
    "the record says who threw it, how each call ended, and that the credentials are gone",
    async () => {
      const entries = await world.entries();
      const disabled = entries.find((entry) => entry["kind"] === "agent.disabled");
      expect([
        textAt(disabled, "details", "agent"),
        at(disabled ?? {}, "details", "now"),
        textAt(disabled, "details", "reason"),
      ]).toEqual(["scaler", true, "it is being tried"]);
      const settled = await ofAgent("call.settled");
      expect(
        settled.map((entry) => ["tool", "code", "effect"].map((key) => textAt(entry, "details", key))).toSorted(),
      ).toEqual([
        ["conditions_wait", "cancelled", "none"],
        ["workloads_scale", "cancelled", "unknown"],
      ]);
      expect(await ofAgent("approval.withdrawn")).toHaveLength(1);
      const grants = (await ofAgent("grant.issued")).map((entry) => textAt(entry, "details", "grant"));
      const revoked = entries.filter(
        (entry) => entry["kind"] === "grant.revoked" && at(entry, "details", "complete") === true,
      );
      const gone = new Set(revoked.map((entry) => textAt(entry, "details", "grant")));
      // Its change's own, and its session's reading token.
      expect([grants.length, grants.filter((one) => !gone.has(one))]).toEqual([2, []]);
      await expectVerifies(world);
    },
  );

  promise(
    "accounts:kill-switch",
    "thrown again it finds nothing; enabled again the agent works as before",
    async () => {
      const again = await world.sallyport(["agents", "disable", "scaler", "--now"]);
      expect(again.out).toBe("Disabled: scaler. Its next request is refused.\nNothing of it was running.\n");
      await world.sallyport(["agents", "enable", "scaler"]);
      expect(await asks(world.agent, "workloads_scale", scaling(dev, 1))).toBe(
        `DONE workloads_scale Deployment ${dev}/api`,
      );
      expect(await asks(world.agent, "objects_list", { kind: "pods", namespace: dev })).toMatch(/pods|Pod/);
    },
  );
});

describe("the kill switch behind a wire that hangs", () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openShop();
  });
  afterAll(async () => {
    await shop?.stop();
  });

  promise(
    "accounts:kill-switch",
    "a call that a person agreed to ends in the middle, and what is left is swept",
    async () => {
      const { world } = shop;
      const account = { issuer: "local", subject: "agent", owner: "olga@example.com", purpose: "Scales the shop" };
      const options = Object.entries(account).flatMap(([option, value]) => [`--${option}`, value]);
      expect((await world.sallyport(["agents", "register", "scaler", ...options])).code).toBe(0);
      const hanging = Promise.withResolvers<void>();
      shop.wire.rule = (one) => {
        // Of its grant one object can't be removed, either.
        if (one.method === "DELETE" && one.url.includes("/roles/run-")) return status(500, "InternalError", "no");
        if (!moments.write(one)) return { kind: "pass" };
        hanging.resolve();
        return { kind: "hang" };
      };
      const asked = await world.call("workloads_scale", scalingIn("shop-prod", 7));
      await world.approve();
      await hanging.promise;
      const switched = await world.sallyport(["agents", "disable", "scaler", "--now"]);
      expect(
        switched.out
          .split("\n")
          .map((line) => line.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "ID").replace(/in \d+ ms/, "in N ms")),
      ).toEqual([
        "Disabled: scaler. Its next request is refused.",
        "Ended in N ms: 1 call, 0 requests for approval, 1 grant, 0 reading tokens.",
        "  workloads_scale call_ID: cancelled, effect unknown",
        "  grant ID: not whole: the sweep goes on",
        "",
      ]);
      expect((await shop.standing()).leftovers.map((one) => one.split(" ")[0])).toEqual(["roles"]);
      shop.wire.rule = () => ({ kind: "pass" });
      await world.sallyport(["agents", "enable", "scaler"]);
      await world.restart();
      await eventually(() => shop.standing()).toEqual(untouched);
      const heard = await world.call("approval_wait", { id: textAt(asked.facts, "approval"), wait_seconds: 0 });
      expect(heading(heard)[1]).toBe("failed cancelled unknown same");
      await expectVerifies(world);
    },
  );
});

describe("the kill switch while nothing can be put on record", () => {
  let shop: Shop;
  let failing = "";
  beforeAll(async () => {
    shop = await openShop({ config: "hold: 0", outside: { disk: failingDisk(() => failing) } });
  });
  afterAll(async () => {
    failing = "";
    await shop?.stop();
  });

  promise(
    "accounts:kill-unrecorded",
    "it kills all the same and says what it could not write; with the disk back the record is whole",
    async () => {
      const { world, wire } = shop;
      const account = { issuer: "local", subject: "agent", owner: "olga@example.com", purpose: "Scales the shop" };
      const options = Object.entries(account).flatMap(([option, value]) => [`--${option}`, value]);
      expect((await world.sallyport(["agents", "register", "scaler", ...options])).code).toBe(0);
      const waits = await world.call("workloads_scale", scalingIn("shop-prod", 6));
      const approval = textAt(waits.facts, "approval");
      const hanging = Promise.withResolvers<void>();
      wire.rule = (one) => {
        if (!moments.write(one)) return { kind: "pass" };
        hanging.resolve();
        return { kind: "hang" };
      };
      const running = world.call("workloads_scale", scalingIn("shop-dev", 7));
      await hanging.promise;
      failing = "EIO";
      const switched = await world.sallyport(["agents", "disable", "scaler", "--now", "--reason", "leaked"]);
      const lines = (switched.out + switched.err)
        .split("\n")
        .map((line) => line.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "ID").replace(/in \d+ ms/, "in N ms"));
      expect([switched.code, lines]).toEqual([
        1,
        [
          "Disabled: scaler. Its next request is refused.",
          "Ended in N ms: 1 call, 0 requests for approval, 1 grant, 0 reading tokens.",
          "  workloads_scale call_ID: transcript_unavailable, effect unknown",
          "  grant ID: revoked",
          "Not all of it could be put on record: what is missing is tried again each minute. Look at the disk, then throw the switch again.",
        ],
      ]);
      expect((await shop.standing()).leftovers).toEqual([]);
      wire.rule = () => ({ kind: "pass" });
      await running.catch(() => undefined);
      await expect(world.call("objects_list", { kind: "pods", namespace: "shop-dev" })).rejects.toThrow();

      failing = "";
      const again = async (): Promise<number> => (await world.sallyport(["agents", "disable", "scaler", "--now"])).code;
      await eventually(again).toBe(0);
      const disabled = (await world.entries()).filter((entry) => entry["kind"] === "agent.disabled");
      expect(disabled.map((entry) => textAt(entry, "details", "reason"))).toEqual(["leaked"]);
      // What waited for a person was withdrawn as soon as that could be recorded.
      const shown = await world.sallyport(["approvals", "show", approval, "--json"], "approver");
      expect(at(JSON.parse(shown.out) as JsonObject, "request", "state")).toBe("withdrawn");
      await world.sallyport(["agents", "enable", "scaler"]);
      await world.restart();
      expect((await world.call("objects_list", { kind: "pods", namespace: "shop-dev" })).isError).toBe(false);
      await expectVerifies(world);
    },
    300_000,
  );
});
