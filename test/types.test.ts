// The brands hold: the compiler refuses every planted misuse, and refuses it for the reason that stands beside it.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const marks = /^.*@ts-expect-error.*$/gm;

test("every planted misuse of a brand is a compile error", () => {
  const source = readFileSync(join(root, "test", "types", "misuse.ts"), "utf8");
  const planted = source.match(marks)?.length ?? 0;
  // Without the marks, each misuse must show as exactly one error of its own.
  // Not below the tests: floors.test.ts reads all that is there, meanwhile.
  const folder = mkdtempSync(join(tmpdir(), "sallyport-types-"));
  try {
    writeFileSync(join(folder, "misuse.ts"), source.replaceAll(marks, "").replaceAll("../../src/", `${root}/src/`));
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        extends: join(root, "tsconfig.json"),
        compilerOptions: {
          typeRoots: [join(root, "node_modules", "@types")],
          // The sources stand at a path that is not relative.
          rewriteRelativeImportExtensions: false,
          allowImportingTsExtensions: true,
        },
        include: ["misuse.ts"],
      }),
    );
    const compiled = spawnSync(
      process.execPath,
      [join(root, "node_modules", "typescript", "bin", "tsc"), "--noEmit", "-p", folder, "--pretty", "false"],
      { encoding: "utf8" },
    );
    const errors = compiled.stdout.match(/misuse\.ts\(\d+,\d+\): error TS\d+/g) ?? [];
    expect(errors).toHaveLength(planted);
    expect(errors.filter((line) => !/TS(2322|2345|2375|2739|2741)$/.test(line))).toEqual([]);
    expect(planted).toBeGreaterThanOrEqual(8);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
