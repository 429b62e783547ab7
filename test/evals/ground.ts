// What all tasks stand on: one control plane with nodes, one Sallyport with every task's namespace enrolled, a person who answers, and the cluster's own audit log.

import { randomBytes } from "node:crypto";
import { open } from "node:fs/promises";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { at, textAt, type JsonObject } from "../../src/domain/json.ts";
import { adminOf, namespace, type Admin } from "../cluster/admin.ts";
import { startControlPlane } from "../cluster/control-plane.ts";
import { kwokMissing, startKwok, type FakeNode, type Kwok } from "../cluster/kwok.ts";
import { definition } from "../cluster/read-scenes.ts";
import { openWorld, type World } from "../support/world.ts";
import type { Task } from "./task.ts";

export interface Ground {
  readonly admin: Admin;
  readonly kwok: Kwok;
  readonly world: World;
  readonly canaries: ReadonlyMap<number, string>;
  /** Answers the request whose card names this text, as a person at the command line; returns once it is answered, or when aborted. */
  answer(about: string, verdict: "approve" | "reject", why: string, signal: AbortSignal): Promise<void>;
  /** What went to the API server in a namespace under the gateway's grants and its preview account. */
  sent(namespace: string): Promise<readonly Sent[]>;
  stop(): Promise<void>;
}

export interface Sent {
  readonly verb: string;
  readonly resource: string;
  readonly name: string;
  readonly account: "grant" | "preview";
  readonly dryRun: boolean;
}

export const namespaceOf = (task: Pick<Task, "number">): string => `eval-${task.number}`;

/** Pools keep tasks apart that are about nodes: only pods that name a pool and tolerate its taint get there. */
const pooled = (name: string, pool: string): FakeNode => ({
  name,
  labels: { pool },
  taints: [{ key: "pool", value: pool, effect: "NoSchedule" }],
});
const nodes: readonly FakeNode[] = [
  { name: "node-a", labels: { disk: "hdd" } },
  { name: "node-b", labels: { disk: "ssd" } },
  { name: "gpu-1", labels: { pool: "gpu" }, taints: [{ key: "gpu", value: "reserved", effect: "NoSchedule" }] },
  pooled("drain-1", "drain"),
  pooled("drain-2", "drain"),
  pooled("stuck-1", "stuck"),
  pooled("stuck-2", "stuck"),
];

/** "" where the tasks can be run with these programs, else why not. */
export const groundMissing = kwokMissing;

export async function openGround(
  binaries: string,
  tasks: readonly Task[],
  say: (line: string) => void,
): Promise<Ground> {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-evals-"));
  const closing: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const close of closing.splice(0).toReversed()) await close();
  };
  try {
    say("Starting the control plane …");
    const plane = await startControlPlane({ binaries, folder: join(folder, "plane") });
    closing.push(() => plane.stop());
    const admin = adminOf(plane);
    say("Starting its nodes …");
    const kwok = await startKwok({
      binaries,
      cluster: plane,
      folder: join(folder, "nodes"),
      nodes,
      logs: Object.fromEntries(tasks.map((task) => [namespaceOf(task), task.logs ?? ["main"]])),
      stages: tasks.flatMap((task) =>
        (task.stages ?? []).map((stage) => ({
          ...stage,
          name: `${namespaceOf(task)}-${stage.name}`,
          when: `(.metadata.namespace == ${JSON.stringify(namespaceOf(task))}) and (${stage.when})`,
        })),
      ),
    });
    closing.push(() => kwok.stop());
    for (const task of tasks)
      await admin.create("/api/v1/namespaces", namespace(namespaceOf(task), task.environment ?? "dev"));
    for (const name of ["standard", "premium"]) await admin.create(storageClasses, storageClass(name));
    await admin.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", podMetrics);
    say(`Enrolling ${tasks.length} namespaces and starting Sallyport …`);
    const world = await openWorld({
      kubeconfigPath: plane.kubeconfigPath,
      enroll: tasks.map(namespaceOf),
      enrollFlags: ["--cluster-read", "--nodes", "--exec"],
    });
    closing.push(() => world.stop());
    return {
      admin,
      kwok,
      world,
      canaries: new Map(tasks.map((task) => [task.number, `Cn${randomBytes(15).toString("base64url")}`])),
      answer: answering(world),
      sent: auditReader(plane.auditLogPath),
      stop,
    };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

const storageClasses = "/apis/storage.k8s.io/v1/storageclasses";
const storageClass = (name: string): JsonObject => ({
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: { name },
  provisioner: "disks.example.com",
});

/** A kind of metrics.k8s.io stands in for metrics-server, with what it would measure. */
const podMetrics = definition(
  "metrics.k8s.io",
  "v1beta1",
  { plural: "pods", singular: "podmetrics", kind: "PodMetrics" },
  "Namespaced",
  { type: "object", "x-kubernetes-preserve-unknown-fields": true },
);

/** One listing of the requests at a time, however many wait. */
function answering(world: World): Ground["answer"] {
  let listing: Promise<readonly JsonObject[]> | null = null;
  const list = async (): Promise<readonly JsonObject[]> => {
    const listed = await world.sallyport(["approvals", "list", "--json"], "approver");
    const requests = at(JSON.parse(listed.out) as JsonObject, "requests");
    return Array.isArray(requests) ? (requests as JsonObject[]) : [];
  };
  return async (about, verdict, why, signal) => {
    while (!signal.aborted) {
      listing ??= list().finally(() => (listing = null));
      const open = (await listing).find((one) => textAt(one, "card", "object").includes(about));
      if (open !== undefined) {
        const flags = verdict === "approve" ? ["--yes"] : ["--reason", why, "--tell-agent"];
        const answered = await world.sallyport(["approvals", verdict, textAt(open, "id"), ...flags], "approver");
        if (answered.code !== 0) throw new Error(`${verdict} failed: ${answered.out}${answered.err}`);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
}

const writes = ["create", "update", "patch", "delete", "deletecollection"];

/** Reads on where it stopped: the log is long, and few of its lines are the gateway's. */
function auditReader(path: string): Ground["sent"] {
  const kept: { readonly namespace: string; readonly sent: Sent }[] = [];
  let offset = 0;
  let rest = "";
  const readOn = async (): Promise<void> => {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      const buffer = Buffer.alloc(size - offset);
      await file.read(buffer, 0, buffer.length, offset);
      offset = size;
      const lines = (rest + buffer.toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const account = /"username":"system:serviceaccount:sallyport-[a-z]+:(preview|run-)/.exec(line)?.[1];
        if (account === undefined) continue;
        const event = JSON.parse(line) as JsonObject;
        const verb = textAt(event, "verb");
        const ref = at(event, "objectRef");
        const subresource = textAt(ref, "subresource");
        // A command over a WebSocket is a GET.
        if (!writes.includes(verb) && subresource !== "exec") continue;
        kept.push({
          namespace: textAt(ref, "namespace"),
          sent: {
            verb,
            resource: `${textAt(ref, "resource")}${subresource === "" ? "" : `/${subresource}`}`,
            name: textAt(ref, "name"),
            account: account === "preview" ? "preview" : "grant",
            dryRun: textAt(event, "requestURI").includes("dryRun=All"),
          },
        });
      }
    } finally {
      await file.close();
    }
  };
  let reading: Promise<void> = Promise.resolve();
  return async (wanted) => {
    reading = reading.then(readOn);
    await reading;
    return kept.filter((one) => one.namespace === wanted).map((one) => one.sent);
  };
}
