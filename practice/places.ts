// Where the story and the benchmarks play: the practice cluster, or a real control plane with the same shop in it.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { at, textAt, type JsonObject } from "../src/domain/json.ts";
import { adminOf, type Admin } from "../test/cluster/admin.ts";
import { controlPlaneBinaries } from "../test/cluster/binaries.ts";
import { startControlPlane } from "../test/cluster/control-plane.ts";
import { seedStory, startPracticeCluster } from "./cluster/index.ts";
import { kinds } from "./cluster/kinds.ts";

export interface Place {
  readonly kind: "practice" | "real";
  readonly server: string;
  readonly kubeconfigPath: string;
  /** The cluster's administrator, who sees what Sallyport left there. */
  readonly admin: Admin;
  /** Secret values that were planted: none may come back from a tool. */
  readonly planted: readonly string[];
  stop(): Promise<void>;
}

export type Opened =
  | { readonly kind: "opened"; readonly place: Place }
  | { readonly kind: "impossible"; readonly why: string };

/** The practice cluster with the shop in it. `folder` is an existing one of the caller's own. */
export async function openPractice(folder: string): Promise<Place> {
  const story = seedStory();
  const practice = await startPracticeCluster({ folder: await below(folder, "cluster"), seed: story.manifests });
  return {
    kind: "practice",
    server: practice.server,
    kubeconfigPath: practice.kubeconfigPath,
    admin: adminOf(practice),
    planted: story.planted,
    stop: () => practice.stop(),
  };
}

/** A real kube-apiserver with the same shop; there is no kubelet, so its pods stay Pending and have no logs. */
export async function openReal(folder: string, say: (line: string) => void): Promise<Opened> {
  const binaries = await controlPlaneBinaries({ env: process.env, say });
  if (binaries.kind === "absent") return { kind: "impossible", why: binaries.why };
  say("Starting etcd, kube-apiserver and kube-controller-manager …");
  const controlPlane = await startControlPlane({
    binaries: binaries.folder,
    folder: await below(folder, "control-plane"),
  });
  const admin = adminOf(controlPlane);
  const story = seedStory();
  try {
    for (const manifest of story.manifests) if (manifest["kind"] !== "PodLog") await plant(admin, manifest);
    await podsAppear(admin);
  } catch (thrown) {
    await controlPlane.stop();
    throw thrown;
  }
  const { server, kubeconfigPath } = controlPlane;
  const stop = (): Promise<void> => controlPlane.stop();
  return { kind: "opened", place: { kind: "real", server, kubeconfigPath, admin, planted: story.planted, stop } };
}

async function below(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(path, { mode: 0o700 });
  return path;
}

async function plant(admin: Admin, manifest: JsonObject): Promise<void> {
  const kind = kinds.find((one) => groupVersion(one) === manifest["apiVersion"] && one.kind === manifest["kind"]);
  if (kind === undefined) throw new TypeError(`the shop has no kind ${textAt(manifest, "kind")}`);
  const root = kind.group === "" ? "/api/v1" : `/apis/${groupVersion(kind)}`;
  const namespace = textAt(manifest, "metadata", "namespace");
  await admin.create(`${root}${namespace === "" ? "" : `/namespaces/${namespace}`}/${kind.resource}`, manifest);
}

const groupVersion = ({ group, version }: { readonly group: string; readonly version: string }): string =>
  group === "" ? version : `${group}/${version}`;

/** The controllers need a moment to make the pods of the Deployments; without them (KUBEBUILDER_ASSETS) there are none. */
async function podsAppear(admin: Admin): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    const pods = at((await admin.send("GET", "/api/v1/namespaces/shop-prod/pods")).body, "items");
    if (Array.isArray(pods) && pods.length >= 4) return;
    await pause(100);
  }
}
