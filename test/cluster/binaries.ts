// The upstream programs of a control plane: ready-made ones that KUBEBUILDER_ASSETS names, or built once from source through the Go
// module proxy and kept outside the work tree under the hash of what they were built from.

import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { shortHash } from "./pki.ts";

export type Binaries =
  | { readonly kind: "present"; readonly folder: string }
  | { readonly kind: "absent"; readonly why: string };

export interface BinariesOptions {
  readonly env: { readonly [name: string]: string | undefined };
  readonly say: (line: string) => void;
}

/** What every test on the real control plane needs. */
const needed = ["etcd", "kube-apiserver"];
/** Built from source: module folder, package, program. */
const sources = [
  ["controlplane", "k8s.io/kubernetes/cmd/kube-apiserver", "kube-apiserver"],
  ["controlplane", "k8s.io/kubernetes/cmd/kube-controller-manager", "kube-controller-manager"],
  ["controlplane", "k8s.io/kubernetes/cmd/kube-scheduler", "kube-scheduler"],
  ["controlplane", "go.etcd.io/etcd/server/v3", "etcd"],
  ["fakekubelet", "sigs.k8s.io/kwok/cmd/kwok", "kwok"],
] as const;

/** The folder of the programs, built now if need be (about five minutes, once), or why there are none. */
export async function controlPlaneBinaries(options: BinariesOptions): Promise<Binaries> {
  const assets = options.env["KUBEBUILDER_ASSETS"];
  if (assets !== undefined && assets !== "") {
    const missing = needed.filter((name) => !existsSync(join(assets, name)));
    return missing.length === 0
      ? { kind: "present", folder: assets }
      : { kind: "absent", why: `KUBEBUILDER_ASSETS has no ${missing.join(", ")}` };
  }
  const sums = await Promise.all(
    ["controlplane", "fakekubelet"].map((name) => readFile(join(import.meta.dirname, name, "go.sum"), "utf8")),
  );
  const mods = await Promise.all(
    ["controlplane", "fakekubelet"].map((name) => readFile(join(import.meta.dirname, name, "go.mod"), "utf8")),
  );
  const cache = options.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  const folder = join(cache, "sallyport", `controlplane-${shortHash([...sums, ...mods].join("\n"))}`);
  if (sources.every(([, , name]) => existsSync(join(folder, name)))) return { kind: "present", folder };
  const go = spawnSync("go", ["version"], { encoding: "utf8" });
  if (go.status !== 0)
    return { kind: "absent", why: "there is no Go to build kube-apiserver with, and KUBEBUILDER_ASSETS is not set" };
  return await build(folder, mods[0] ?? "", options);
}

async function build(folder: string, mod: string, options: BinariesOptions): Promise<Binaries> {
  const version = /k8s\.io\/kubernetes (v[\d.]+)/.exec(mod)?.[1] ?? "v0.0.0";
  const [major = "", minor = ""] = version.slice(1).split(".");
  const stamps = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((where) => [
    `-X ${where}.gitVersion=${version}`,
    `-X ${where}.gitMajor=${major}`,
    `-X ${where}.gitMinor=${minor}`,
  ]);
  await mkdir(join(folder, ".."), { recursive: true });
  const draft = await mkdtemp(`${folder}-building-`);
  for (const [index, [module, source, name]] of sources.entries()) {
    options.say(`Building ${name} ${index + 1}/${sources.length} from source (about five minutes for all, once) …`);
    const arguments_ = [
      "build",
      "-trimpath",
      "-ldflags",
      ["-s -w", ...(module === "controlplane" ? stamps : [])].join(" "),
      "-o",
      join(draft, name),
      source,
    ];
    const done = await run("go", arguments_, join(import.meta.dirname, module), options);
    if (done !== "") {
      await rm(draft, { recursive: true, force: true });
      return { kind: "absent", why: `building ${name} failed: ${done}` };
    }
  }
  await rm(folder, { recursive: true, force: true });
  await rename(draft, folder);
  return { kind: "present", folder };
}

/** "" when the command succeeded, else the last of what it said. Says each half minute that it is alive. */
function run(command: string, arguments_: readonly string[], cwd: string, options: BinariesOptions): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(command, [...arguments_], {
      cwd,
      env: { ...options.env, CGO_ENABLED: "0" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let last = "";
    const started = Date.now();
    const alive = setInterval(() => options.say(`  … ${Math.round((Date.now() - started) / 1000)} s`), 30_000);
    child.stderr.on("data", (chunk: Buffer) => (last = (last + chunk.toString()).slice(-500)));
    child.on("error", (error) => (last = error.message));
    child.on("close", (code) => {
      clearInterval(alive);
      resolve(code === 0 ? "" : last || `exit ${code}`);
    });
  });
}
