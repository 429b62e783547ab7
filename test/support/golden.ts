// Compares a text with its golden file; UPDATE_GOLDEN=1 writes it instead, for a person to read before it is kept.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

const folder = fileURLToPath(new URL("../golden", import.meta.url));

/** `name` is the path below test/golden, for example `render/denied.txt`. */
export function golden(name: string, text: string): void {
  const path = join(folder, name);
  if (process.env["UPDATE_GOLDEN"] === "1") {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return;
  }
  expect(text, `differs from test/golden/${name}`).toBe(readFileSync(path, "utf8"));
}
