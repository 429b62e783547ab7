// Runs the official conformance suite against a door: as a process of its own, through a proxy that shows the token.

import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";

export const revisions = ["2026-07-28", "2025-11-25"] as const;
export type Revision = (typeof revisions)[number];

export interface Scenario {
  readonly name: string;
  readonly passed: number;
  /** Each check that failed: its id and the suite's own words. */
  readonly failed: readonly string[];
}

export interface Ran {
  /** The suite's own verdict: 0 where every required scenario passed. */
  readonly code: number;
  readonly required: readonly Scenario[];
  /** Extensions and what came after the revision: run for a look, part of no verdict. */
  readonly others: readonly Scenario[];
}

const suite = join(import.meta.dirname, "..", "..", "node_modules", "@modelcontextprotocol", "conformance");

/** The server scenarios that a revision requires, in the suite's own frozen list. */
export async function requiredBy(revision: Revision): Promise<readonly string[]> {
  const listed = parse(await readFile(join(suite, "requirements", `${revision}.yaml`), "utf8")) as {
    readonly server: readonly string[];
  };
  return listed.server;
}

/** All that a revision requires of a server at `url`, or one scenario of it. */
export async function runSuite(url: string, revision: Revision, scenario?: string): Promise<Ran> {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-conformance-"));
  const which =
    scenario === undefined ? ["--requirements", revision] : ["--scenario", scenario, "--spec-version", revision];
  try {
    const arguments_ = [join(suite, "dist", "index.js"), "server", "--url", url, ...which, "-o", folder];
    const code = await new Promise<number>((resolve) => {
      const child = spawn(process.execPath, arguments_, { cwd: folder, stdio: "ignore" });
      child.once("close", (exit) => resolve(exit ?? -1));
    });
    const required = scenario === undefined ? await requiredBy(revision) : [scenario];
    const all = await scenariosIn(folder);
    return {
      code,
      required: required.map(
        (name) => all.find((one) => one.name === name) ?? { name, passed: 0, failed: ["did not run"] },
      ),
      others: all.filter((one) => !required.includes(one.name)),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function scenariosIn(folder: string): Promise<readonly Scenario[]> {
  const names = (await readdir(folder)).sort();
  return await Promise.all(
    names.map(async (one) => {
      const checks = JSON.parse(await readFile(join(folder, one, "checks.json"), "utf8")) as readonly {
        readonly id: string;
        readonly status: string;
        readonly errorMessage?: string;
      }[];
      const failed = checks.filter(({ status }) => status === "FAILURE");
      return {
        // server-NAME-2026-01-31T…: the name of the run, with its time.
        name: one.replace(/^server-/, "").replace(/-\d{4}-\d{2}-\d{2}T.*$/, ""),
        passed: checks.filter(({ status }) => status === "SUCCESS").length,
        failed: failed.map(({ id, errorMessage = "" }) => `${id}: ${errorMessage}`),
      };
    }),
  );
}
