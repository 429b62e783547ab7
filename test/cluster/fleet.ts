// Four clusters behind one gateway: two that live (the real one among them, where its programs are there), one that refuses, one that never answers.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPracticeCluster } from "../../practice/cluster/index.ts";
import { at } from "../../src/domain/json.ts";
import { openWire, type Wire } from "../support/proxy.ts";
import { openWorld, type World } from "../support/world.ts";
import { adminOf, deployment, namespace, type Admin, type AdminOptions } from "./admin.ts";
import type { ProvidedCluster } from "./global-setup.ts";

export const place = "fleet";

export interface Fleet {
  readonly world: World;
  readonly prod: Admin;
  readonly dev: Admin;
  /** Stands before dev, which can be made to fall silent. */
  readonly wire: Wire;
  /** Connections that the silent cluster holds now. */
  held(): number;
  replicas(admin: Admin): Promise<number>;
  stop(): Promise<void>;
}

/** prod asks a person before a scale, dev does not, and logs are read in dev alone. */
const policy = JSON.stringify({
  version: 1,
  rules: [
    {
      id: "ask",
      effect: "allow",
      match: { effects: ["read"], tools: ["access_review", "approval_wait"] },
      reason: "Everyone may ask.",
    },
    {
      id: "read",
      effect: "allow",
      match: {
        effects: ["read"],
        tools: ["objects_list", "objects_get"],
        verbs: ["get", "list"],
        kinds: ["pods", "apps/deployments"],
      },
      reason: "Reading is how trouble is found.",
    },
    {
      id: "logs-in-dev",
      effect: "allow",
      match: { clusters: ["dev"], tools: ["logs_read"], verbs: ["get", "list"], kinds: ["pods", "pods/log"] },
      reason: "Only there.",
    },
    {
      id: "scale-in-dev",
      effect: "allow",
      match: {
        clusters: ["dev"],
        tools: ["workloads_scale"],
        verbs: ["get", "patch"],
        kinds: ["apps/deployments/scale"],
      },
      reason: "Trying things out.",
    },
    {
      id: "scale-in-prod",
      effect: "require-approval",
      match: {
        clusters: ["prod", "old-prod"],
        tools: ["workloads_scale"],
        verbs: ["get", "patch"],
        kinds: ["apps/deployments/scale"],
      },
      approval: { approvers: ["group:approvers"] },
      reason: "Customers are there.",
    },
  ],
});

/** A server that takes every connection and says nothing on it. */
async function openSilence() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    held: () => sockets.size,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Opens it with both living clusters enrolled; `provided` is the real one where there is one. */
export async function openFleet(provided: ProvidedCluster): Promise<Fleet> {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-fleet-"));
  const stops: (() => Promise<void>)[] = [];
  const practice = async (name: string) => {
    await mkdir(join(folder, name));
    const started = await startPracticeCluster({ folder: join(folder, name) });
    stops.push(() => started.stop());
    return started;
  };
  const dev = await practice("dev");
  const prod: AdminOptions = "skip" in provided ? await practice("prod") : provided;
  const silence = await openSilence();
  const wire = await openWire({ target: dev, adminToken: dev.adminToken, folder });
  const admins = { prod: adminOf(prod), dev: adminOf(dev) };
  for (const admin of Object.values(admins)) {
    await admin.create("/api/v1/namespaces", namespace(place, "any"));
    await admin.create(`/apis/apps/v1/namespaces/${place}/deployments`, deployment("api", 1, "pw"));
  }
  const world = await openWorld({
    kubeconfigPath: await kubeconfigOf(folder, prod, silence.server),
    enroll: null,
    policy,
    config: `hold: 0
deadline: 15
clusters:
  - dead
  - { name: hole, context: silent }
  - { name: prod, context: admin@prod }
  - { name: dev, context: wire, kubeconfig: ${JSON.stringify(wire.kubeconfigPath)} }`,
  });
  const fleet: Fleet = {
    world,
    ...admins,
    wire,
    held: silence.held,
    async replicas(admin) {
      const found = await admin.send("GET", `/apis/apps/v1/namespaces/${place}/deployments/api`);
      return Number(at(found.body, "spec", "replicas"));
    },
    async stop() {
      await world.stop();
      // The namespace stays: the next enrolment would drop it from the record that other files read at the same time.
      await wire.stop();
      await silence.stop();
      for (const stop of stops) await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return fleet;
}

/** One file with the real cluster, one that nobody listens at, and the silent one. */
async function kubeconfigOf(folder: string, prod: AdminOptions, silence: string): Promise<string> {
  const ca = prod.ca === undefined ? {} : { "certificate-authority-data": Buffer.from(prod.ca).toString("base64") };
  const cluster = (name: string, server: string, more: object = {}) => ({ name, cluster: { server, ...more } });
  const context = (name: string, of: string) => ({ name, context: { cluster: of, user: "admin" } });
  const path = join(folder, "fleet.kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "admin@prod",
    clusters: [cluster("prod", prod.server, ca), cluster("dead", "http://127.0.0.1:1"), cluster("silent", silence)],
    users: [{ name: "admin", user: { token: prod.adminToken } }],
    contexts: [
      context("admin@prod", "prod"),
      context("dead", "dead"),
      context("silent", "silent"),
      context("unlisted", "prod"),
    ],
  };
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}
