// The record against the audit log of a real kube-apiserver: quiet where all went through the gateway, and every planted lie and way round is found.

import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import { textAt, type JsonObject } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { openWire, type Wire } from "../support/proxy.ts";
import { openWorld, type World } from "../support/world.ts";
import { adminOf, deployment, namespace, type Admin } from "./admin.ts";
import type { ControlPlane } from "./control-plane.ts";
import { ownControlPlane } from "./own.ts";

const shared = inject("cluster");
const why = "skip" in shared ? ` (skipped: ${shared.skip})` : "";
const place = "audited";
const scalePath = `/apis/apps/v1/namespaces/${place}/deployments/api/scale`;

/** Everything in the one namespace, without asking. */
const policy = `version: 1
rules:
  - id: audited
    effect: allow
    match:
      effects: [read, change, destroy]
      verbs: [get, list, watch, create, update, patch, delete]
      kinds: [pods, apps/deployments, apps/deployments/scale, apps/replicasets, configmaps, events, resourcequotas, autoscaling/horizontalpodautoscalers]
      namespaces: [${place}]
    reason: It is theirs.
`;

interface Found {
  readonly code: number;
  readonly ok: boolean;
  readonly recorded: boolean;
  readonly calls: number;
  readonly theft: readonly { readonly says: string; readonly identity: string }[];
  readonly bypass: readonly { readonly identity: string; readonly count: number; readonly first: readonly string[] }[];
  readonly missing: readonly { readonly call: string; readonly says: string }[];
  readonly differ: readonly { readonly says: string }[];
}

describe.skipIf("skip" in shared)(`on a real kube-apiserver${why}`, () => {
  // Its own: in a shared one other gateways act under the same accounts, as they would with their own records.
  let plane: ControlPlane;
  let admin: Admin;
  let wire: Wire;
  let world: World;
  let folder: string;
  /** Events of before are the test's own setting up. */
  let begun = 0;

  beforeAll(async () => {
    if ("skip" in shared) return;
    plane = await ownControlPlane();
    admin = adminOf(plane);
    await admin.create("/api/v1/namespaces", namespace(place, "dev"));
    await admin.create(`/apis/apps/v1/namespaces/${place}/deployments`, deployment("api", 1, "none"));
    folder = await mkdtemp(join(tmpdir(), "sallyport-audited-"));
    wire = await openWire({ target: plane, adminToken: plane.adminToken, folder });
    world = await openWorld({ kubeconfigPath: wire.kubeconfigPath, enroll: [place], policy });
    begun = (await admin.audit()).length;
  });
  afterAll(async () => {
    await world?.stop();
    await wire?.stop();
    await plane?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  /** Compares with the log as `change` makes it, for the gateway's own record or another. */
  async function compare(
    change: (events: readonly JsonObject[]) => readonly JsonObject[] = (events) => events,
    more: readonly string[] = [],
  ): Promise<Found> {
    const log = join(folder, "audit.log");
    const events = change((await admin.audit()).slice(begun));
    await writeFile(log, events.map((event) => `${JSON.stringify(event)}\n`).join(""));
    const ran = await world.sallyport(["transcript", "reconcile", "--audit-log", log, "--json", ...more]);
    return { code: ran.code, ...(JSON.parse(ran.out) as Omit<Found, "code">) };
  }
  const scale = (replicas: number, more: JsonObject = {}) =>
    world.call("workloads_scale", {
      kind: "Deployment",
      namespace: place,
      name: "api",
      replicas,
      reason: "as agreed",
      ...more,
    });
  const isScale = (event: JsonObject): boolean =>
    textAt(event, "verb") === "patch" &&
    textAt(event, "objectRef", "subresource") === "scale" &&
    !textAt(event, "requestURI").includes("dryRun");
  const nothing = { ok: true, theft: [], bypass: [], missing: [], differ: [] };

  promise(
    "transcript:reconcile",
    "reads, changes, previews, refusals and deletions through the gateway leave nothing to be looked at",
    async () => {
      await world.call("objects_list", { kind: "Pod", namespace: place });
      await scale(2);
      await scale(9, { preview: true });
      await world.call("workloads_restart", { kind: "Deployment", namespace: place, name: "api", reason: "as agreed" });
      const settings = {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "settings", namespace: place },
        data: { a: "b" },
      };
      await world.call("manifests_apply", { manifests: [settings], reason: "as agreed" });
      await world.call("workloads_update", {
        kind: "Deployment",
        namespace: place,
        name: "api",
        container: "main",
        image: "registry.example.com/pause:2",
        reason: "as agreed",
      });
      await world.call("objects_delete", {
        kind: "ConfigMap",
        namespace: place,
        name: "settings",
        reason: "as agreed",
      });
      await world.call("objects_get", { kind: "Secret", namespace: place, name: "none" });
      const found = await compare();
      expect(found).toMatchObject({ code: 0, recorded: true, ...nothing });
      expect(found.calls).toBeGreaterThan(5);
    },
  );

  promise("transcript:reconciled", "the comparison is on record, and verification says so", async () => {
    const ran = (await world.entries()).filter((entry) => entry["kind"] === "reconcile.ran");
    expect(ran.map((entry) => [textAt(entry, "principal", "iss"), entry["details"]])).toMatchObject([
      ["local", { cluster: "wire", namespaces: [place], theft: 0, bypass: 0, missing: 0, differ: 0 }],
    ]);
    const { out } = await world.sallyport(["transcript", "verify", "--json"]);
    const { verdicts } = JSON.parse(out) as { verdicts: readonly JsonObject[] };
    expect(verdicts.at(-1)).toMatchObject({ question: "COMPLETENESS", verdict: "ok" });
  });

  promise("transcript:reconcile", "whoever else writes where it governs is told by name", async () => {
    const before = begun;
    begun = (await admin.audit()).length;
    await admin.send("PATCH", scalePath, { spec: { replicas: 7 } }, { contentType: "application/merge-patch+json" });
    const found = await compare();
    begun = (await admin.audit()).length;
    expect(found).toMatchObject({ ...nothing, ok: false, code: 3, bypass: [{ identity: "admin", count: 1 }] });
    expect(found.bypass[0]?.first[0]).toContain(`patch apps/deployments/scale ${place}/api`);
    expect(before).toBeLessThan(begun);
  });

  promise(
    "transcript:reconcile",
    "a token that was stolen from a running call is found under a name of its own and under the call's",
    async () => {
      let stolen = "";
      // The call runs until the thief is done: its credential ends with it.
      const used = Promise.withResolvers<void>();
      wire.rule = ({ method, url, headers }) => {
        if (method !== "PATCH" || url.includes("dryRun")) return { kind: "pass" };
        stolen = `${headers.authorization ?? ""} ${String(headers["audit-id"])}`;
        return { kind: "held", until: used.promise };
      };
      const running = scale(3);
      await expect.poll(() => stolen, { timeout: 60_000 }).not.toBe("");
      const [, token = "", auditId = ""] = stolen.split(" ");
      const patch = (id: string) => fetchAs(token, id, { spec: { replicas: 40 } });
      expect(await patch("something-else")).toBe(200);
      expect(await patch(auditId.replace(/\d+$/, "99"))).toBe(200);
      used.resolve();
      await running;
      wire.rule = () => ({ kind: "pass" });
      const found = await compare();
      expect(found.code).toBe(3);
      expect(found.theft.map((one) => one.says)).toEqual([
        expect.stringMatching(
          /^patch apps\/deployments\/scale audited\/api: with the credential of call_\S+, and no entry explains it$/,
        ),
      ]);
      expect(found.differ.map((one) => one.says)).toEqual([expect.stringMatching(/came from another program$/)]);
      expect([found.bypass, found.missing]).toEqual([[], []]);
      begun = (await admin.audit()).length;
    },
  );

  /** The thief's request, beside the gateway's way to the cluster. */
  async function fetchAs(token: string, auditId: string, body: JsonObject): Promise<number> {
    const { request } = await import("node:https");
    return await new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${token}`,
        "audit-id": auditId,
        "user-agent": "curl/8",
        "content-type": "application/merge-patch+json",
      };
      const asked = request(`${plane.server}${scalePath}`, { method: "PATCH", ca: plane.ca, headers }, (answer) => {
        answer.resume();
        answer.on("end", () => resolve(answer.statusCode ?? 0));
      });
      asked.on("error", reject);
      asked.end(JSON.stringify(body));
    });
  }

  promise(
    "transcript:reconcile",
    "an effect on record that the log does not show, and one that it shows otherwise",
    async () => {
      await scale(4);
      expect(await compare()).toMatchObject({ code: 0, ...nothing });
      const without = await compare((events) => events.filter((event) => !isScale(event)));
      expect(without).toMatchObject({
        ...nothing,
        ok: false,
        code: 3,
        missing: [{ says: "workloads_scale was applied, and the log shows no write of it" }],
      });
      const changes: readonly (readonly [what: RegExp, change: (event: JsonObject) => JsonObject])[] = [
        [/^delete .* is not among what call_\S+ was granted$/, (event) => ({ ...event, verb: "delete" })],
        [
          /default\/api: is not among/,
          (event) => ({ ...event, objectRef: { ...(event["objectRef"] as JsonObject), namespace: "default" } }),
        ],
        [
          /audited\/web: is not among/,
          (event) => ({ ...event, objectRef: { ...(event["objectRef"] as JsonObject), name: "web" } }),
        ],
        [
          /apps\/statefulsets\/scale .* is not among/,
          (event) => ({ ...event, objectRef: { ...(event["objectRef"] as JsonObject), resource: "statefulsets" } }),
        ],
        [
          /lies outside the time of call_/,
          (event) => ({ ...event, requestReceivedTimestamp: "2026-01-01T00:00:00.000000Z" }),
        ],
        [/came from 10\.6\.6\.6/, (event) => ({ ...event, sourceIPs: ["10.6.6.6"] })],
        [/came from another program/, (event) => ({ ...event, userAgent: "kubectl/v1.36.0" })],
      ];
      for (const [what, change] of changes) {
        const found = await compare((events) => events.map((event) => (isScale(event) ? change(event) : event)));
        expect([found.code, found.differ.map((one) => one.says)]).toEqual([3, [expect.stringMatching(what)]]);
      }
      const rehearsed = await compare((events) =>
        events.map((event) => (isScale(event) ? { ...event, requestURI: `${scalePath}?dryRun=All` } : event)),
      );
      expect(rehearsed.missing.map((one) => one.says)).toEqual([
        "workloads_scale was applied, and the log shows no write of it",
      ]);
    },
  );

  promise("transcript:reconcile", "a call that was taken out of the record is found in the log", async () => {
    const copy = await mkdtemp(join(tmpdir(), "sallyport-copy-"));
    await cp(join(world.folder, "transcript"), join(copy, "transcript"), { recursive: true });
    const call = textAt(
      (await world.entries()).findLast((entry) => entry["kind"] === "grant.issued"),
      "call",
    );
    const segments = join(copy, "transcript", "segments");
    for (const name of await readdir(segments)) {
      const lines = (await readFile(join(segments, name), "utf8")).split("\n");
      await writeFile(join(segments, name), lines.filter((line) => !line.includes(`"call":"${call}"`)).join("\n"));
    }
    const log = join(folder, "audit.log");
    await writeFile(
      log,
      (await admin.audit())
        .slice(begun)
        .map((event) => `${JSON.stringify(event)}\n`)
        .join(""),
    );
    const { runCommand } = await import("../support/world.ts");
    const ran = await runCommand(["transcript", "reconcile", "--audit-log", log, "--namespace", place, "--json"], {
      ...world.env,
      SALLYPORT_HOME: copy,
    });
    await rm(copy, { recursive: true, force: true });
    const found = JSON.parse(ran.out) as Found;
    expect(ran.code).toBe(3);
    expect(found.theft.map((one) => one.says)).toContain(
      `patch apps/deployments/scale ${place}/api: with a grant that no entry knows`,
    );
    expect(new Set(found.theft.map((one) => one.identity.replace(/run-.*/, "run-")))).toEqual(
      new Set(["system:serviceaccount:sallyport-system:gateway", "system:serviceaccount:sallyport-sessions:run-"]),
    );
  });
});
