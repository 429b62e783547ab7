// The program of test/independent, which checks what we say with other people's libraries: built where Go is, else a reason to skip.

import { spawnSync } from "node:child_process";
import { join } from "node:path";

export type Independent = { readonly path: string } | { readonly skip: string };

/** Builds it under a name of the test file's own, so that two files never wait for one another. */
export function independent(name: string): Independent {
  const go = spawnSync("go", ["version"]);
  if (go.status !== 0) return { skip: "Go is not installed" };
  const source = join(import.meta.dirname, "..", "..", "independent");
  const cache = spawnSync("go", ["env", "GOCACHE"], { encoding: "utf8" }).stdout.trim();
  const path = join(cache, `sallyport-independent-${name}`);
  const built = spawnSync("go", ["build", "-o", path, "."], { cwd: source, encoding: "utf8" });
  return built.status === 0 ? { path } : { skip: `it could not be built: ${built.stderr.trim().split("\n").at(-1)}` };
}

/** What it prints, or `failed:` with what it says. */
export function runIndependent(program: Independent, ...words: readonly string[]): string {
  if ("skip" in program) return "";
  const { status, stdout, stderr } = spawnSync(program.path, words, { encoding: "utf8" });
  return status === 0 ? stdout.trim() : `failed: ${stderr.trim()}`;
}
