// npm start as a child without a terminal: its story to the end, a step that goes otherwise, and the cluster that is not ours.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import { promise } from "../support/promise.ts";
import { runCommand } from "../support/world.ts";
import { root, runProgram } from "../commands/place.ts";

const program = join(root, "practice", "main.ts");
/** Whatever the person's own shell has set must not reach the story. */
const env = { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", NO_COLOR: "1" };

const folderIn = (out: string): string => /^state {5}(.+)$/m.exec(out)?.[1] ?? "";

promise(
  "start:story",
  "five steps and the record of them, exit code 0, its state folder gone",
  async () => {
    const { code, out, err } = await runProgram([program, "--port", "0"], env);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const lines = out.split("\n").map((line) => line.trim());
    expect(lines.filter((line) => /^\d\. /.test(line)).map((line) => line.slice(0, 2))).toEqual([
      "1.",
      "2.",
      "3.",
      "4.",
      "5.",
    ]);
    for (const part of [
      "4 pods in shop-prod:",
      "[MASKED:password:",
      "DENIED: Policy does not allow this call. Secrets are not readable here.",
      "~ spec.replicas: 3 -> 5",
      "DONE workloads_scale Deployment shop-prod/api",
      "gone    ServiceAccount run-",
      "gone    RoleBinding run-",
      "grant.revoked",
      "SEMANTICS     ok",
      "All steps went as they should.",
    ])
      expect(out).toContain(part);
    expect(out).not.toContain("went otherwise");
    expect([folderIn(out) !== "", existsSync(dirname(folderIn(out)))]).toEqual([true, false]);
  },
  300_000,
);

promise(
  "start:otherwise",
  "a person who is faster than the story's approver rejects the change: exit code 1, and the step is named",
  async () => {
    let answered: Promise<number> | undefined;
    const { code, out } = await runProgram([program, "--port", "0"], env, (all, story) => {
      // The story shows the request, and its approver thinks for a second: it is held there, its gateway goes on.
      const id = /id {8}(apr_[0-9a-f-]+)/.exec(all)?.[1];
      if (id === undefined || answered !== undefined) return;
      story.kill("SIGSTOP");
      answered = reject(folderIn(all), id).finally(() => story.kill("SIGCONT"));
    });
    expect([await answered, code]).toEqual([0, 1]);
    const otherwise = out.split("\n").filter((line) => line.startsWith("went otherwise: "));
    expect(otherwise[0]).toBe(
      "went otherwise: workloads_scale: expected an answer that starts with DONE workloads_scale",
    );
    expect(out).toContain("ERROR approval_rejected");
    expect(out).not.toContain("All steps went as they should.");
    expect(existsSync(dirname(folderIn(out)))).toBe(false);
  },
  300_000,
);

async function reject(home: string, id: string): Promise<number> {
  const approver = { SALLYPORT_HOME: home, SALLYPORT_TOKEN_FILE: join(home, "approver.token") };
  return (await runCommand(["approvals", "reject", id, "--reason", "not today"], { ...env, ...approver })).code;
}

promise("start:own-cluster", "without a terminal it refuses, names the commands, and starts nothing", async () => {
  const { code, out, err } = await runProgram([program, "--kubeconfig", "/nonexistent/kubeconfig"], env);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err.split("\n")).toEqual([
    "npm start -- --kubeconfig asks before it installs or changes anything in your cluster, and nobody is at this terminal.",
    "Run it in a terminal, or these one by one:",
    "  KUBECONFIG=/nonexistent/kubeconfig node dist/main.js doctor",
    "  KUBECONFIG=/nonexistent/kubeconfig node dist/main.js enroll --namespace NAME --print",
    "  KUBECONFIG=/nonexistent/kubeconfig node dist/main.js enroll --namespace NAME",
    "",
  ]);
});

promise("start:own-cluster", "options that exclude each other, or are none, end it with exit code 2", async () => {
  const wrong = [["--cluster", "real", "--kubeconfig", "x"], ["--cluster", "kind"], ["--port", "99999"], ["--bogus"]];
  const codes = await Promise.all(wrong.map(async (line) => (await runProgram([program, ...line], env)).code));
  expect(codes).toEqual([2, 2, 2, 2]);
});
