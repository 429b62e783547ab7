// The built program, made anew when a source is younger than it.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const program = join(root, "dist", "main.js");

/** The path of dist/main.js, built if need be. */
export async function builtProgram(say: (line: string) => void): Promise<string> {
  if (existsSync(program) && statSync(program).mtimeMs > youngest(["src", "tools", "policies"])) return program;
  say("Building dist/main.js …");
  const built = spawnSync(process.execPath, [join(root, "toolchain", "build.ts")], { encoding: "utf8" });
  if (built.status !== 0) throw new Error(`npm run build failed: ${built.stderr}`);
  return program;
}

/** Bytes of everything in dist. */
export function builtBytes(): number {
  return filesBelow(join(root, "dist")).reduce((sum, path) => sum + statSync(path).size, 0);
}

function youngest(folders: readonly string[]): number {
  return Math.max(...folders.flatMap((name) => filesBelow(join(root, name))).map((path) => statSync(path).mtimeMs));
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
