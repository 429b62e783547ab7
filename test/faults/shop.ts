// The shop of the fault tests: a practice cluster behind a wire that can break, and a whole Sallyport before it.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { seedStory, startPracticeCluster, type PracticeCluster } from "../../practice/cluster/index.ts";
import { at, textAt, type JsonObject } from "../../src/domain/json.ts";
import { adminOf, type Admin } from "../cluster/admin.ts";
import { openWire, type Action, type Passing, type Wire } from "../support/proxy.ts";
import { openWorld, type Answer, type World, type WorldOptions } from "../support/world.ts";

export interface Shop {
  readonly practice: PracticeCluster;
  readonly wire: Wire;
  readonly world: World;
  /** Reaches the cluster beside the wire. */
  readonly admin: Admin;
  /** A folder of the test's own. */
  readonly folder: string;
  /** What the cluster holds now: the two counts that the tests scale, and whatever grants left. */
  standing(): Promise<Standing>;
  stop(): Promise<void>;
}

export interface Standing {
  readonly dev: number;
  readonly prod: number;
  readonly leftovers: readonly string[];
}

/** As the shop is seeded. */
export const untouched: Standing = { dev: 1, prod: 3, leftovers: [] };

/** Opens it, enrolled. `config` defaults to answering APPROVAL PENDING at once. */
export async function openShop(options: Partial<WorldOptions> = {}): Promise<Shop> {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-shop-"));
  const practice = await startPracticeCluster({ folder, seed: seedStory().manifests });
  const wire = await openWire({ target: practice, adminToken: practice.adminToken, folder });
  const world = await openWorld({
    kubeconfigPath: wire.kubeconfigPath,
    enroll: ["shop-prod", "shop-dev"],
    config: "hold: 0",
    ...options,
  });
  const admin = adminOf(practice);
  return {
    practice,
    wire,
    world,
    admin,
    folder,
    standing: () => standingOf(admin, ["shop-dev", "shop-prod"]),
    async stop() {
      wire.rule = () => ({ kind: "pass" });
      await world.stop();
      await wire.stop();
      await practice.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The replica counts of `api` in the two namespaces, and the objects of grants that the cluster still has. */
export async function standingOf(admin: Admin, [dev, prod]: readonly [string, string]): Promise<Standing> {
  const replicas = async (namespace: string): Promise<number> =>
    Number(at((await admin.send("GET", deploymentPath(namespace))).body, "spec", "replicas"));
  return { dev: await replicas(dev), prod: await replicas(prod), leftovers: await leftoversIn(admin, [dev, prod]) };
}

export function deploymentPath(namespace: string): string {
  return `/apis/apps/v1/namespaces/${namespace}/deployments/api`;
}

/** `serviceaccounts run-…`, one for each object of a grant. */
export async function leftoversIn(admin: Admin, namespaces: readonly string[]): Promise<string[]> {
  const rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces";
  const lists = [
    "/api/v1/namespaces/sallyport-sessions/serviceaccounts",
    "/api/v1/namespaces/sallyport-sessions/secrets",
    ...namespaces.flatMap((namespace) => [`${rbac}/${namespace}/roles`, `${rbac}/${namespace}/rolebindings`]),
  ];
  const found: string[] = [];
  for (const path of lists) {
    const { body } = await admin.send("GET", `${path}?labelSelector=sallyport.dev/grant`);
    const items = at(body, "items");
    for (const item of Array.isArray(items) ? items : [])
      found.push(`${path.split("/").at(-1) ?? ""} ${textAt(item, "metadata", "name")}`);
  }
  return found;
}

/** A scale that policy allows at once (`shop-dev`) or puts to a person (`shop-prod`). */
export function scaling(namespace: string, replicas: number, more: JsonObject = {}): JsonObject {
  return { kind: "Deployment", namespace, name: "api", replicas, reason: "a fault is being tried", ...more };
}

export const listing: JsonObject = { kind: "pods", namespace: "shop-dev" };

/** Which request of a call a fault hits. */
export const moments = {
  read: (one: Passing) => one.method === "GET" && one.url.includes("includeObject=None"),
  dryRun: (one: Passing) => one.method === "PATCH" && one.url.includes("dryRun=All"),
  write: (one: Passing) => one.method === "PATCH" && one.url.includes("/scale") && !one.url.includes("dryRun"),
} as const satisfies Record<string, (one: Passing) => boolean>;

/** Answers so at that moment, and lets everything else pass. */
export function striking(moment: keyof typeof moments, action: Action): Wire["rule"] {
  return (passing) => (moments[moment](passing) ? action : { kind: "pass" });
}

/** An answer without its call id: the headline, what to do next and how it stands, then the facts. */
export function told({ text, facts }: Answer): string[] {
  const { code = "", effect, retry = "", outcome } = facts;
  const lines = text.split("\n").map((line) => line.replace(/^call call_[0-9a-f-]{36} - /, "call - "));
  return [...lines, [outcome, code, effect, retry].map(String).join(" ")];
}

/** Only the headline and the facts. */
export function heading(answer: Answer): string[] {
  const lines = told(answer);
  return [lines[0] ?? "", lines.at(-1) ?? ""];
}

/** Asks until it is as expected; how long that takes is no part of any promise. */
export function eventually<T>(look: () => T | Promise<T>) {
  return expect.poll(look, { timeout: 60_000, interval: 50 });
}

/** The transcript, as `sallyport transcript verify` judges it. */
export async function expectVerifies(world: World): Promise<void> {
  const { code, out } = await world.sallyport(["transcript", "verify"]);
  expect({ code, failed: out.split("\n").filter((line) => line.includes(" failed ")) }).toEqual({
    code: 0,
    failed: [],
  });
}

/** The entries of one call, in their order: kind, and the code or state that it says. */
export async function entriesOf(world: World, call: unknown): Promise<string[]> {
  const entries = await world.entries();
  return entries
    .filter((entry) => entry["call"] === call)
    .map((entry) =>
      [
        textAt(entry, "kind"),
        textAt(entry, "details", "decision"),
        textAt(entry, "details", "outcome"),
        textAt(entry, "details", "state"),
        textAt(entry, "details", "code"),
        entry["kind"] === "call.settled" ? textAt(entry, "details", "effect") : "",
      ]
        .filter((part) => part !== "")
        .join(" "),
    );
}
