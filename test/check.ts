// `npm run check`: format, type-aware lint, types and floors, each named as it passes.

import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const modules = join(root, "node_modules");
const folders = ["src", "tools", "practice", "test", "docs", "bench", "toolchain"];

const checks: readonly (readonly [string, readonly string[]])[] = [
  ["format", [join(modules, "oxfmt", "bin", "oxfmt"), "--check", ...folders]],
  ["lint", [join(modules, "oxlint", "bin", "oxlint"), "--type-aware", "--deny-warnings", ...folders]],
  ["types", [join(modules, "typescript", "bin", "tsc"), "--noEmit", "-p", "."]],
  [
    "floors",
    [join(modules, "vitest", "vitest.mjs"), "run", "--reporter=dot", "test/floors.test.ts", "test/types.test.ts"],
  ],
];

const failed: string[] = [];
for (const [name, command] of checks) {
  const done = spawnSync(process.execPath, [...command], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
  });
  if (done.status !== 0) {
    failed.push(name);
    process.stderr.write(`${done.stdout}${done.stderr}`);
  }
  process.stderr.write(`${done.status === 0 ? "ok    " : "FAILED"} ${name}\n`);
}
if (failed.length > 0) process.stderr.write(`Failed: ${failed.join(", ")}. npm run format repairs the format.\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
