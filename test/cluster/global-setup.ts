// One real control plane for the whole test run, where its programs are there; its tests are skipped with the reason where not.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startControlPlane, type ControlPlane } from "./control-plane.ts";

export type ProvidedCluster = Omit<ControlPlane, "stop"> | { readonly skip: string };

declare module "vitest" {
  export interface ProvidedContext {
    cluster: ProvidedCluster;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const binaries = process.env["SALLYPORT_TEST_BINARIES"];
  if (binaries === undefined || binaries === "") {
    const why = process.env["SALLYPORT_TEST_SKIP_CLUSTER"] ?? "run npm test, which builds or finds kube-apiserver";
    project.provide("cluster", { skip: why });
    return async () => undefined;
  }
  const folder = await mkdtemp(join(tmpdir(), "sallyport-control-plane-"));
  const started = await startControlPlane({ binaries, folder });
  const { server, ca, adminToken, kubeconfigPath, auditLogPath } = started;
  project.provide("cluster", { server, ca, adminToken, kubeconfigPath, auditLogPath });
  return async () => {
    await started.stop();
    await rm(folder, { recursive: true, force: true });
  };
}
