// `npm test`: builds the real control plane where Go is present, runs every test, and ends with the counts in one line.

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { controlPlaneBinaries } from "./cluster/binaries.ts";

const root = join(import.meta.dirname, "..");
const filters = process.argv.slice(2);
const say = (line: string): void => void process.stderr.write(`${line}\n`);

const binaries = await controlPlaneBinaries({ env: process.env, say });
if (binaries.kind === "absent") say(`Tests on the real control plane are skipped: ${binaries.why}`);

const folder = await mkdtemp(join(tmpdir(), "sallyport-test-"));
const report = join(folder, "report.json");
const code = await new Promise<number>((resolve) => {
  const vitest = spawn(
    process.execPath,
    [
      join(root, "node_modules", "vitest", "vitest.mjs"),
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile=${report}`,
      ...filters,
    ],
    {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
      env: {
        ...process.env,
        ...(binaries.kind === "present"
          ? { SALLYPORT_TEST_BINARIES: binaries.folder }
          : { SALLYPORT_TEST_SKIP_CLUSTER: binaries.why }),
      },
    },
  );
  vitest.on("exit", (exit) => resolve(exit ?? 1));
});

const counts = await countsOf(report);
await rm(folder, { recursive: true, force: true });
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
process.exitCode = code !== 0 || counts.failed > 0 || counts.passed === 0 ? 1 : 0;

async function countsOf(path: string): Promise<{ passed: number; failed: number; skipped: number }> {
  try {
    const read = JSON.parse(await readFile(path, "utf8")) as {
      numPassedTests: number;
      numFailedTests: number;
      numFailedTestSuites: number;
      numPendingTests: number;
      numTodoTests: number;
    };
    return {
      passed: read.numPassedTests,
      failed: Math.max(read.numFailedTests, code === 0 ? 0 : 1),
      skipped: read.numPendingTests + read.numTodoTests,
    };
  } catch (thrown) {
    say(`The test runner left no report: ${String(thrown)}`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
