// The tokens that each task may take: 20 % over what it took when the file was last written; less is fine.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Result } from "./run.ts";

const path = join(import.meta.dirname, "..", "golden", "evals.json");
const slack = 1.2;

/** Tokens by task number; empty where the file is not there yet. */
export async function goldenRows(): Promise<ReadonlyMap<number, number>> {
  try {
    const rows = JSON.parse(await readFile(path, "utf8")) as { readonly [number: string]: number };
    return new Map(Object.entries(rows).map(([number, tokens]) => [Number(number), tokens]));
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return new Map();
    throw thrown;
  }
}

/** A sentence for each task that costs too much or has no row. */
export function overGolden(results: readonly Result[], golden: ReadonlyMap<number, number>): string[] {
  return results.flatMap(({ number, title, tokens }) => {
    const allowed = golden.get(number);
    const refresh = `UPDATE_GOLDEN=1 npm run evals -- --task ${number}, and look at the difference`;
    if (allowed === undefined) return [`Task ${number} (${title}) has no row in test/golden/evals.json: ${refresh}.`];
    if (tokens <= allowed * slack) return [];
    const more = Math.round((tokens / allowed - 1) * 100);
    return [
      `Task ${number} (${title}) costs ${tokens} tokens, ${more} % more than its golden ${allowed}: make the answers shorter, or accept it with ${refresh}.`,
    ];
  });
}

/** Keeps these results' tokens and the rows of all other tasks. */
export async function writeGolden(results: readonly Result[]): Promise<void> {
  const rows = new Map([...(await goldenRows()), ...results.map(({ number, tokens }) => [number, tokens] as const)]);
  const sorted = [...rows].sort(([a], [b]) => a - b);
  await writeFile(path, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`);
}
