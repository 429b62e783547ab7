// A practice cluster and a person's home folder, for one file of command tests; and the program as a child of the test.

import { spawn, type ChildProcess } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seedStory, startPracticeCluster, type PracticeCluster } from "../../practice/cluster/index.ts";
import { adminOf, type Admin } from "../cluster/admin.ts";

export const root = join(import.meta.dirname, "..", "..");
export const main = join(root, "src", "main.ts");

export interface Place {
  readonly folder: string;
  readonly practice: PracticeCluster;
  readonly admin: Admin;
  /** The environment of a person with this kubeconfig and a state folder of this name, which is not made. */
  env(home: string, kubeconfig?: string): Record<string, string>;
  /** A copy of the practice cluster's kubeconfig, changed. */
  kubeconfig(name: string, change: (text: string) => string): Promise<string>;
  stop(): Promise<void>;
}

export async function openPlace(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-commands-"));
  await mkdir(join(folder, "cluster"));
  const practice = await startPracticeCluster({ folder: join(folder, "cluster"), seed: seedStory().manifests });
  return {
    folder,
    practice,
    admin: adminOf(practice),
    env: (home, kubeconfig = practice.kubeconfigPath) => ({
      PATH: process.env["PATH"] ?? "",
      HOME: folder,
      SALLYPORT_HOME: join(folder, home),
      KUBECONFIG: kubeconfig,
    }),
    async kubeconfig(name, change) {
      const path = join(folder, name);
      await writeFile(path, change(await readFile(practice.kubeconfigPath, "utf8")), { mode: 0o600 });
      return path;
    },
    async stop() {
      await practice.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Runs a program of ours to its end, its standard input closed. */
export async function runProgram(
  arguments_: readonly string[],
  env: NodeJS.ProcessEnv,
  onOutput: (all: string, child: ChildProcess) => void = () => undefined,
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const child = spawn(process.execPath, [...arguments_], { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
    onOutput(out, child);
  });
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const code = await new Promise<number>((resolve) => child.on("close", (exit) => resolve(exit ?? -1)));
  return { code, out, err };
}
